//! The shop of the examples, played in a real browser: what cookies it gets, what is stored, and what the pages show.

#![allow(missing_docs, reason = "a test's name says what it shows, and nobody imports it")]

mod browser;
mod chromedriver;
mod devices;
mod ends;
mod login;
mod panel;
mod picture;
mod scene;
mod tabs;
