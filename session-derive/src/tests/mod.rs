//! The derive on its own, on types that need no compiler.

mod expansion;
