//! What the store must hold in the end, computed without the session runtime and without a store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::log::Traffic;
use super::rule::{Command, Effect, RECENT, REMINDERS, SECTIONS, Theme, section_of};

/// The state of one client, as a plain struct.
///
/// The policies that write whole records keep this struct, too: they have no use for change tracking.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    visits: u64,
    since: Option<i64>,
    last_page: Option<String>,
    recent: Vec<String>,
    sections: BTreeMap<String, u64>,
    theme: Theme,
    muted: bool,
    reminders: Vec<i64>,
}

impl State {
    /// Carries out a request.
    pub fn apply(&mut self, effect: Effect<'_>, at: i64) {
        match effect {
            Effect::Unused | Effect::Read => {}
            Effect::Page(path) => self.show(path, at),
            Effect::Command(command) => match command {
                Command::Mute(muted) => self.muted = muted,
                Command::Theme(theme) => self.theme = theme,
                Command::Forget => self.reminders = Vec::new(),
                Command::Remind => {
                    let kept = self.reminders.len().saturating_sub(REMINDERS - 1);
                    self.reminders = self.reminders.iter().skip(kept).copied().chain([at]).collect();
                }
            },
        }
    }

    fn show(&mut self, path: &str, at: i64) {
        self.visits += 1;
        self.since = self.since.or(Some(at));
        self.last_page = Some(path.to_owned());
        let others = self.recent.iter().filter(|page| *page != path).cloned();
        self.recent = std::iter::once(path.to_owned()).chain(others).take(RECENT).collect();
        let section = section_of(path);
        if self.sections.contains_key(section) || self.sections.len() < SECTIONS {
            *self.sections.entry(section.to_owned()).or_default() += 1;
        }
    }

    /// Each field by its name.
    #[must_use]
    pub fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            // A struct of numbers, texts and lists is an object.
            _ => Map::new(),
        }
    }

    /// The fields that differ from those of a client nobody has heard of.
    #[must_use]
    pub fn differing_fields(&self) -> Map<String, Value> {
        let initial = Self::default().fields();
        self.fields().into_iter().filter(|(name, value)| initial.get(name) != Some(value)).collect()
    }
}

/// What the traffic makes of its clients.
#[derive(Debug, Default)]
pub struct Model {
    /// Each client, in the order of [`Traffic::clients`].
    pub clients: Vec<Expected>,
    /// How many requests use the session.
    pub uses: u64,
    /// How many of them touch it.
    pub touches: u64,
    /// How many of them leave it different.
    pub changes: u64,
}

/// What must be found of one client.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Its state after the last request.
    pub state: State,
    /// Whether any request touched it.
    pub marks: bool,
}

impl Model {
    /// Plays the traffic.
    #[must_use]
    pub fn of(traffic: &Traffic) -> Self {
        let mut model = Self { clients: vec![Expected::default(); traffic.clients.len()], ..Self::default() };
        for request in &traffic.requests {
            let Some(client) = model.clients.get_mut(request.client) else { continue };
            let effect = Effect::of(request);
            let before = client.state.clone();
            client.state.apply(effect, request.at);
            client.marks |= effect.touches();
            model.uses += u64::from(effect.uses());
            model.touches += u64::from(effect.touches());
            model.changes += u64::from(client.state != before);
        }
        model
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn traffic(requests: &[(i64, &str, &str, &str, Option<u16>)]) -> Traffic {
        let mut traffic = Traffic::default();
        for &(at, client, verb, label, status) in requests {
            traffic.push(at, client.into(), verb.into(), label.into(), status);
        }
        traffic
    }

    #[test]
    fn a_trace_written_by_hand_ends_where_a_person_says() {
        let model = Model::of(&traffic(&[
            (10, "ann", "GET", "/a/x.html", Some(200)),
            (11, "ann", "GET", "/a/logo.gif", Some(200)),
            (12, "bob", "say", "6", None),
            (13, "ann", "GET", "/y.html?q=1", Some(304)),
            (14, "ann", "GET", "/gone.html", Some(404)),
            (15, "bob", "say", "5", None),
            (16, "bob", "say", "9", None),
            (17, "ann", "GET", "/a/x.html", Some(200)),
            (18, "cid", "say", "3", None),
            (19, "bob", "say", "80", None),
        ]));
        let fields: Vec<_> =
            model.clients.iter().map(|client| Value::Object(client.state.differing_fields())).collect();
        let ann = json!({
            "visits": 3,
            "since": 10,
            "last_page": "/a/x.html",
            "recent": ["/a/x.html", "/y.html"],
            "sections": {"a": 2, "/": 1},
        });
        assert_eq!(fields, [ann, json!({"theme": "dark", "reminders": [16]}), json!({})]);
        assert!(model.clients.iter().all(|client| client.marks));
        assert_eq!((model.uses, model.touches, model.changes), (9, 7, 5));
    }

    #[test]
    fn commands_back_to_the_start_leave_nothing() {
        let commands = ["1", "5", "10", "12", "8", "4"];
        let requests: Vec<_> = (1..).zip(commands).map(|(at, bytes)| (at, "ann", "say", bytes, None)).collect();
        let model = Model::of(&traffic(&requests));
        assert_eq!(model.clients[0].state, State::default());
        assert_eq!(model.changes, 6);
    }

    #[test]
    fn lists_keep_what_came_last() {
        let mut state = State::default();
        for at in 0..20 {
            state.apply(Effect::Command(Command::Remind), at);
            state.apply(Effect::Page(&format!("/{at}/{at}.html")), at);
        }
        assert_eq!(state.reminders, [15, 16, 17, 18, 19]);
        assert_eq!(state.recent.len(), RECENT);
        assert_eq!(state.recent[0], "/19/19.html");
        assert_eq!(state.sections.len(), SECTIONS);
    }
}
