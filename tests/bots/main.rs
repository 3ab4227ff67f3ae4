//! Sessions in a bot: a real dispatcher of teloxide, on a stand-in for Telegram.

#![allow(missing_docs, reason = "a test's name says what it shows, and nobody imports it")]

mod chat;
mod delivered;
mod dialogues;
mod failing;
mod keys;
mod killed;
mod legacy;
mod lending;
mod moving;
mod overlap;
mod place;
mod running;
mod spans;
mod storage;
