//! Sessions behind a web framework, as its users meet them.

#![allow(missing_docs, reason = "a test's name says what it shows, and nobody imports it")]

mod borrowing;
mod calls;
mod client;
mod cookies;
mod ends;
mod legacy;
mod middlewares;
mod on_actix_web;
mod on_axum;
mod overlap;
mod place;
mod races;
mod safety;
mod site;
mod spans;
mod streams;
mod visitor;
