//! What compiles: shapes of structs, views, names, strict lints. What does not is in `tests/ui`.

mod hygiene;
mod lints;
mod receiver;
mod shapes;
mod views;
