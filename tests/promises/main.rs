//! Each promise of the toolkit, and tests that fail when it is broken.

#![allow(missing_docs, unreachable_pub, reason = "a test's name says what it shows, and nobody imports it")]

mod p01_difference;
mod visitor;
