//! What stores do when their engines fail.
