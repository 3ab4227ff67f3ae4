//! Sessions behind a web framework, as its users meet them.

#![allow(missing_docs, reason = "a test's name says what it shows, and nobody imports it")]

mod borrowing;
mod calls;
mod client;
mod cookies;
mod ends;
mod overlap;
mod safety;
mod streams;
mod visitor;
