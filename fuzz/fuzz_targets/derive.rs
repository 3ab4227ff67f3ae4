//! A procedural macro cannot be called from a program, so the derive's files are modules of this one.
#![no_main]
#![allow(dead_code)]

#[path = "../../session-derive/src/attr.rs"]
mod attr;
#[path = "../../session-derive/src/check.rs"]
mod check;
#[path = "../../session-derive/src/errors.rs"]
mod errors;
#[path = "../../session-derive/src/expand/mod.rs"]
mod expand;
#[path = "../../session-derive/src/expr.rs"]
mod expr;
#[path = "../../session-derive/src/fallback.rs"]
mod fallback;
#[path = "../../session-derive/src/fuzz.rs"]
mod fuzz;
#[path = "../../session-derive/src/model.rs"]
mod model;
#[path = "../../session-derive/src/names.rs"]
mod names;
#[path = "../../session-derive/src/receiver.rs"]
mod receiver;
#[path = "../../session-derive/src/serde.rs"]
mod serde;
#[path = "../../session-derive/src/types.rs"]
mod types;
#[path = "../../session-derive/src/unordered.rs"]
mod unordered;

libfuzzer_sys::fuzz_target!(|text: &str| fuzz::derive_for(text));
