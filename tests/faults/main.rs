//! What stores do when their engines fail.

mod redis;
