//! The session of a client, and the handler of its requests.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use session_runtime::{Handle, Session};

use super::rule::{Command, Effect, RECENT, REMINDERS, SECTIONS, Theme, section_of};

/// What is kept about a client, on the web or in a chat.
#[derive(Debug, Session)]
#[session(name = "replay")]
pub struct Visitor {
    /// How many pages were shown.
    pub visits: u64,
    /// When the first of them was, in Unix seconds.
    pub since: Option<i64>,
    /// The page shown last.
    pub last_page: Option<String>,
    /// The pages shown lately, each once, newest first.
    pub recent: Vec<String>,
    /// How many pages of each section of the site were shown.
    pub sections: BTreeMap<String, u64>,
    /// How the client wants things to look.
    pub theme: Theme,
    /// Whether the chat wants to hear nothing.
    pub muted: bool,
    /// When reminders were asked for, in Unix seconds.
    pub reminders: Vec<i64>,
}

/// Handles a request as a program would that knows nothing of what a commit will find: it changes plain fields, and
/// sets some to the value that they have.
pub fn handle(visitor: &mut Handle<Visitor>, effect: Effect<'_>, at: i64) {
    match effect {
        Effect::Unused => {}
        // What it looks at ends up in its answer, which a replay has none of.
        Effect::Read => drop(std::hint::black_box((visitor.theme, visitor.muted, visitor.last_page.clone()))),
        Effect::Page(path) => show(visitor, path, at),
        Effect::Command(Command::Mute(muted)) => *visitor.edit().muted() = muted,
        Effect::Command(Command::Theme(theme)) => *visitor.edit().theme() = theme,
        Effect::Command(Command::Remind) => {
            let reminders = visitor.edit().reminders();
            reminders.push(at);
            if reminders.len() > REMINDERS {
                reminders.remove(0);
            }
        }
        Effect::Command(Command::Forget) => visitor.edit().reminders().clear(),
    }
}

fn show(visitor: &mut Handle<Visitor>, path: &str, at: i64) {
    *visitor.edit().visits() += 1;
    visitor.edit().since().get_or_insert(at);
    *visitor.edit().last_page() = Some(path.to_owned());

    let recent = visitor.edit().recent();
    recent.retain(|page| page != path);
    recent.insert(0, path.to_owned());
    recent.truncate(RECENT);

    let sections = visitor.edit().sections();
    if let Some(count) = sections.get_mut(section_of(path)) {
        *count += 1;
    } else if sections.len() < SECTIONS {
        sections.insert(section_of(path).to_owned(), 1);
    }
}

impl Visitor {
    /// Each field by its stored name.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let Self { visits, since, last_page, recent, sections, theme, muted, reminders } = self;
        let fields = [
            ("visits", json!(visits)),
            ("since", json!(since)),
            ("last_page", json!(last_page)),
            ("recent", json!(recent)),
            ("sections", json!(sections)),
            ("theme", json!(theme)),
            ("muted", json!(muted)),
            ("reminders", json!(reminders)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
