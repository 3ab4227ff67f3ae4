/// The common key, and one for each handler to renew to.
pub(crate) const KEYS: usize = 4;

/// What was done, as the handlers were told, in the order in which the store did it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    now: u32,
    events: Vec<Event>,
    violation: Option<String>,
}

#[derive(Debug)]
struct Event {
    at: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    /// The session was changed.
    Added { key: usize, amounts: [i64; 2] },
    /// The session was destroyed. Whether it was stored.
    Destroyed { key: usize, stored: bool },
    /// The session was moved.
    Moved { from: usize, to: usize },
}

impl Ledger {
    /// A call to the store is made.
    pub(crate) fn tick(&mut self) -> u32 {
        self.now += 1;
        self.now
    }

    /// A handler that loaded the session at `loaded` changed it.
    pub(crate) fn added(&mut self, at: u32, key: usize, loaded: u32, amounts: [i64; 2]) {
        if amounts == [0, 0] {
            return;
        }
        if self.ended(key, loaded, at, true) {
            self.violate(format!("a session that had ended came back at key {key} by {amounts:?}"));
        }
        self.events.push(Event { at, what: What::Added { key, amounts } });
    }

    pub(crate) fn destroyed(&mut self, at: u32, key: usize, stored: bool) {
        self.events.push(Event { at, what: What::Destroyed { key, stored } });
    }

    pub(crate) fn moved(&mut self, at: u32, from: usize, to: usize) {
        self.events.push(Event { at, what: What::Moved { from, to } });
    }

    /// A handler was refused because its session has ended.
    pub(crate) fn refused(&mut self, at: u32, key: usize, loaded: u32) {
        if !self.ended(key, loaded, at, false) {
            self.violate(format!("a handler was refused at key {key}, but nothing had ended"));
        }
    }

    /// A handler was told that there was nothing left to destroy.
    pub(crate) fn was_gone(&mut self, at: u32, key: usize, loaded: u32) {
        if self.first_end(key, loaded, at).is_some_and(|end| matches!(end, What::Moved { .. })) {
            self.violate(format!(
                "the session of key {key} lives on at another, but its handler was told that it ended"
            ));
        }
    }

    /// A handler was told that the session that it wanted to destroy lives on.
    pub(crate) fn lives_on(&mut self, at: u32, key: usize, loaded: u32) {
        if !self.first_end(key, loaded, at).is_some_and(|end| matches!(end, What::Moved { .. })) {
            self.violate(format!("a handler was told that the session of key {key} lives on, but it did not move"));
        }
    }

    /// How the session ended that a handler loaded.
    fn first_end(&self, key: usize, after: u32, before: u32) -> Option<&What> {
        let ends = self.events.iter().filter(|event| {
            after < event.at
                && event.at <= before
                && match event.what {
                    What::Destroyed { key: ended, stored } => ended == key && stored,
                    What::Moved { from, .. } => from == key,
                    What::Added { .. } => false,
                }
        });
        ends.min_by_key(|event| event.at).map(|event| &event.what)
    }

    pub(crate) fn violate(&mut self, violation: String) {
        self.violation.get_or_insert(violation);
    }

    /// Whether the session of a key ended in between.
    fn ended(&self, key: usize, after: u32, before: u32, stored_only: bool) -> bool {
        self.events.iter().any(|event| {
            let ends = match event.what {
                What::Destroyed { key: ended, stored } => ended == key && (stored || !stored_only),
                What::Moved { from, .. } => from == key,
                What::Added { .. } => false,
            };
            ends && after < event.at && event.at <= before
        })
    }

    /// What each key must hold, if all went well so far.
    pub(crate) fn verdict(mut self) -> Result<[[i64; 2]; KEYS], String> {
        if let Some(violation) = self.violation {
            return Err(format!("{violation}\n{:#?}", self.events));
        }
        self.events.sort_by_key(|event| event.at);
        let mut keys = [[0; 2]; KEYS];
        for event in &self.events {
            match event.what {
                What::Added { key, amounts } => {
                    keys[key][0] += amounts[0];
                    keys[key][1] += amounts[1];
                }
                What::Destroyed { stored: false, .. } => {}
                What::Destroyed { key, stored: true } => keys[key] = [0; 2],
                What::Moved { from, to } => keys[to] = std::mem::take(&mut keys[from]),
            }
        }
        Ok(keys)
    }
}
