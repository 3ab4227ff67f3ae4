//! What stores do when their engines fail.

mod postgres;
mod redis;
mod updates;
mod verbs;
