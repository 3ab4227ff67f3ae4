//! Session libraries as a web program or a bot meets them: with their middleware, on a store that counts its calls.

pub mod actix;
pub mod axum_session;
pub mod grammy;
pub mod ours;
pub mod tower;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What a request does to its client's session, which has `visits`, first 0, and a `theme`, first `light`.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Untouched,
    Read,
    /// Counts the visit.
    Change,
    /// Sets the visits to the number that they are.
    Same,
    /// Changes the visits and changes them back.
    Revert,
    /// Sets the visits to 0.
    Initial,
    /// Removes a key that is not there.
    Absent,
    /// Counts the visit, and fails.
    Fail,
    Dark(bool),
}

/// A handler's view of a session, the same on every side.
pub trait View {
    fn visits(&mut self) -> u32;
    fn set_visits(&mut self, visits: u32);
    fn set_theme(&mut self, theme: &str);
    fn remove_absent(&mut self);

    fn carry_out(&mut self, act: Act) {
        match act {
            Act::Untouched => {}
            Act::Read => {
                std::hint::black_box(self.visits());
            }
            Act::Change | Act::Fail => {
                let visits = self.visits();
                self.set_visits(visits + 1);
            }
            Act::Same => {
                let visits = self.visits();
                self.set_visits(visits);
            }
            Act::Revert => {
                let visits = self.visits();
                self.set_visits(visits + 1);
                self.set_visits(visits);
            }
            Act::Initial => self.set_visits(0),
            Act::Absent => self.remove_absent(),
            Act::Dark(dark) => self.set_theme(if dark { "dark" } else { "light" }),
        }
    }
}

/// A library that serves requests.
pub trait Web {
    fn name(&self) -> &'static str;
    /// Serves a request of a client; each client keeps its cookies.
    async fn request(&mut self, client: usize, act: Act);
    fn counter(&self) -> &Counter;
}

/// The calls to a store, in order, and what was written.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<Mutex<Calls>>);

#[derive(Serialize, Deserialize, Debug, Clone, Default)]
pub struct Calls {
    /// `L` load, `C` create, `S` save, `T` touch, `D` delete, `E` exists.
    pub letters: String,
    pub loads: u64,
    pub writes: u64,
    /// Bytes of the values that were written.
    pub bytes: u64,
}

impl Counter {
    pub fn count(&self, letter: char, bytes: usize) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.letters.len() < 64 {
            calls.letters.push(letter);
        }
        match letter {
            'L' | 'E' => calls.loads += 1,
            _ => calls.writes += 1,
        }
        calls.bytes += bytes as u64;
    }

    pub fn take(&self) -> Calls {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The cookies that each client was given.
#[derive(Debug, Default)]
pub struct Cookies(HashMap<usize, Vec<(String, String)>>);

impl Cookies {
    /// The header that a client sends.
    pub fn of(&self, client: usize) -> Option<String> {
        let cookies = self.0.get(&client)?;
        Some(cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; "))
    }

    /// Keeps what a `Set-Cookie` header gives.
    pub fn keep(&mut self, client: usize, header: &str) {
        let Some((name, value)) = header.split(';').next().unwrap_or_default().split_once('=') else { return };
        let cookies = self.0.entry(client).or_default();
        cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}
