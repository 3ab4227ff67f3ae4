//! What stores do when their engines fail.

mod index;
mod postgres;
mod redis;
mod updates;
mod verbs;
