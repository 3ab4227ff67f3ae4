//! Each promise of the toolkit, and tests that fail when it is broken.

#![allow(missing_docs, unreachable_pub, reason = "a test's name says what it shows, and nobody imports it")]

mod calls;
mod example;
mod indexed;
mod interleaving;
mod model;
mod p01_difference;
mod p02_unmarked;
mod p03_dirty;
mod p03_exact;
mod p03_random;
mod p03_shapes;
mod p04_only_dirty;
mod p05_overlap;
mod p06_destroyed;
mod p06_started;
mod p07_failure;
mod p07_lost_answers;
mod p07_work;
mod p08_read_back;
mod p09_clocks;
mod p09_expiry;
mod p10_agreement;
mod p10_lost;
mod p10_mistakes;
mod p10_pinned;
mod p11_migration;
mod p11_undecodable;
mod p11_when_migrated;
mod p12_waiting;
mod p13_safety;
mod secrets;
mod spawned;
mod visitor;
