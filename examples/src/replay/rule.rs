//! The rule of the replay: what each request does to its client's session.
//!
//! It stands here and nowhere else. The handler under test and the model carry out the same [`Effect`]s, each with
//! code of its own.

use serde::{Deserialize, Serialize};

use super::log::Request;

/// How many different pages a session remembers.
pub const RECENT: usize = 8;

/// How many sections of a site a session counts.
pub const SECTIONS: usize = 16;

/// How many reminders a session holds.
pub const REMINDERS: usize = 5;

/// Files that belong to a page and are no page, by the end of their names.
const PARTS_OF_PAGES: &[&str] = &[
    "gif", "jpg", "jpeg", "png", "svg", "ico", "xbm", "bmp", "webp", "css", "js", "mjs", "map", "woff", "woff2", "ttf",
    "au", "wav", "mp3", "avi", "mov", "mp4", "mpg", "mpeg",
];

/// The rule in words, printed with every report.
pub const RULE: &str = "\
web    GET or POST of a page     counts the visit, its section, remembers the page and the first visit
web    image, style, script …    does not use the session
web    status 4xx, 5xx, 3xx*     reads the session                             (* 304 is a page)
web    other method              reads the session
chat   message of 1-2 bytes      mutes          3-4   bytes   unmutes
chat   message of 5-6 bytes      dark theme     7-8   bytes   light theme
chat   message of 9-10 bytes     reminder       11-12 bytes   forgets all reminders
chat   any other message         reads the session";

/// What a request does to its client's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<'a> {
    /// Nothing: its handler takes no session.
    Unused,
    /// Its handler looks at the session.
    Read,
    /// A page is shown, named by its path without the query.
    Page(&'a str),
    /// A command is carried out. It may set what is set already.
    Command(Command),
}

/// A command of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Mutes the chat, or takes that back.
    Mute(bool),
    /// Chooses the theme.
    Theme(Theme),
    /// Adds a reminder; with too many, the oldest goes.
    Remind,
    /// Removes all reminders.
    Forget,
}

/// How a client wants things to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl<'a> Effect<'a> {
    /// Applies the rule.
    #[must_use]
    pub fn of(request: &'a Request) -> Self {
        match request.verb.as_str() {
            "say" | "act" => request.label.parse().map_or(Self::Read, Self::of_message),
            verb => Self::of_web(verb, path_of(&request.label), request.status),
        }
    }

    fn of_message(bytes: u32) -> Self {
        Self::Command(match bytes {
            1..=2 => Command::Mute(true),
            3..=4 => Command::Mute(false),
            5..=6 => Command::Theme(Theme::Dark),
            7..=8 => Command::Theme(Theme::Light),
            9..=10 => Command::Remind,
            11..=12 => Command::Forget,
            _ => return Self::Read,
        })
    }

    fn of_web(verb: &str, path: &'a str, status: Option<u16>) -> Self {
        let shown = match status {
            Some(304) | None => true,
            Some(status) => status < 300,
        };
        if is_part_of_a_page(path) {
            Self::Unused
        } else if shown && matches!(verb, "GET" | "POST") {
            Self::Page(path)
        } else {
            Self::Read
        }
    }

    /// Whether the request's handler takes the session.
    #[must_use]
    pub fn uses(self) -> bool {
        self != Self::Unused
    }

    /// Whether the request's handler borrows the session mutably, be it to set what is set already.
    #[must_use]
    pub fn touches(self) -> bool {
        matches!(self, Self::Page(_) | Self::Command(_))
    }
}

/// The part of a site that a page belongs to: the first folder of its path.
#[must_use]
pub fn section_of(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').map_or("/", |(section, _)| section)
}

fn path_of(label: &str) -> &str {
    label.split(['?', '#']).next().unwrap_or(label)
}

fn is_part_of_a_page(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').is_some_and(|(_, end)| PARTS_OF_PAGES.iter().any(|part| end.eq_ignore_ascii_case(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(verb: &str, label: &str, status: Option<u16>) -> Request {
        Request { at: 0, client: 0, verb: verb.into(), label: label.into(), status }
    }

    #[test]
    fn a_shown_page_is_a_visit_and_its_query_is_no_part_of_its_name() {
        for status in [Some(200), Some(304), None] {
            let page = request("GET", "/shuttle/index.html?zoom=1.gif#top", status);
            assert_eq!(Effect::of(&page), Effect::Page("/shuttle/index.html"));
        }
        assert_eq!(Effect::of(&request("POST", "/cart", Some(201))), Effect::Page("/cart"));
    }

    #[test]
    fn parts_of_pages_do_not_use_the_session_even_when_they_fail() {
        for (label, status) in [("/logo.GIF", 200), ("/a/site.css", 304), ("/app.js?v=2", 404)] {
            assert_eq!(Effect::of(&request("GET", label, Some(status))), Effect::Unused);
        }
    }

    #[test]
    fn failed_redirected_and_other_requests_only_read() {
        for (verb, status) in [("GET", 404), ("GET", 302), ("POST", 500), ("HEAD", 200), ("-", 400)] {
            assert_eq!(Effect::of(&request(verb, "/index.html", Some(status))), Effect::Read);
        }
    }

    #[test]
    fn short_messages_are_commands() {
        let effect = |bytes: &str| match Effect::of(&request("say", bytes, None)) {
            Effect::Command(command) => Some(command),
            _ => None,
        };
        assert_eq!(effect("2"), Some(Command::Mute(true)));
        assert_eq!(effect("3"), Some(Command::Mute(false)));
        assert_eq!(effect("6"), Some(Command::Theme(Theme::Dark)));
        assert_eq!(effect("8"), Some(Command::Theme(Theme::Light)));
        assert_eq!(effect("9"), Some(Command::Remind));
        assert_eq!(effect("12"), Some(Command::Forget));
        for other in ["0", "13", "many"] {
            assert_eq!(effect(other), None);
        }
    }

    #[test]
    fn sections_are_first_folders() {
        assert_eq!(section_of("/shuttle/missions/sts-70.html"), "shuttle");
        assert_eq!(section_of("/index.html"), "/");
        assert_eq!(section_of(""), "/");
    }
}
