//! What compiles, what does not, and what the compiler says then.

mod hygiene;
mod lints;
mod receiver;
mod shapes;
mod ui;
mod views;
