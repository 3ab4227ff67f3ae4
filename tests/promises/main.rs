//! Each promise of the toolkit, and tests that fail when it is broken.

#![allow(missing_docs, unreachable_pub, reason = "a test's name says what it shows, and nobody imports it")]

mod calls;
mod example;
mod interleaving;
mod model;
mod p01_difference;
mod p02_unmarked;
mod p03_dirty;
mod p03_exact;
mod p04_only_dirty;
mod p05_overlap;
mod p06_destroyed;
mod p07_failure;
mod p07_lost_answers;
mod p08_clocks;
mod p08_expiry;
mod p09_agreement;
mod p09_pinned;
mod p10_migration;
mod p10_undecodable;
mod p10_when_migrated;
mod p11_safety;
mod secrets;
mod spawned;
mod visitor;
