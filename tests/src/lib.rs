//! Tests of the session toolkit; see `tests/`.
