//! The panel as HTML.

use axum::http::StatusCode;
use axum::response::sse::Event;
use maud::{Markup, PreEscaped, html};
use session_runtime::Stats;
use session_runtime::axum::slot_of;
use session_runtime::store::FieldName;

use super::{Entry, Fate, Loading, Panel, Totals};

/// The panel with what it has seen so far, and the script that brings what comes.
pub(in crate::shop) fn panel(panel: &Panel) -> Markup {
    let (entries, totals) = panel.snapshot();
    html! {
        section #panel aria-label="What sessions cost" data-after=(totals.requests) {
            div #totals { (self::totals(&totals)) }
            noscript { p.note { "Without scripts it shows what was before this page." } }
            p.columns aria-hidden="true" {
                span { "loaded" } span { "dirty" } span { "written" } span title="what a write of the whole session takes" { "always" }
            }
            ol #entries { @for entry in entries.iter().rev() { (row(entry)) } }
        }
        script { (PreEscaped(include_str!("panel.js"))) }
    }
}

/// What the sessions of this program counted themselves, when the page was made.
pub(in crate::shop) fn counted(stats: &Stats) -> Markup {
    let writes = stats.commits_created + stats.commits_updated + stats.commits_removed;
    html! {
        details {
            summary { "Counted since the shop opened, by " code { "Sessions::stats()" } }
            table {
                @for (what, figure) in [
                    ("loads", stats.loads),
                    ("loads that failed", stats.load_failures),
                    ("commits that stored something", writes),
                    ("commits that failed", stats.commits_failed),
                    ("commits of sessions that nobody touched", stats.avoided_unmarked),
                    ("commits of what had not changed", stats.avoided_initial + stats.avoided_same_value + stats.avoided_reverted),
                    ("bytes written", stats.bytes_written),
                    ("bytes not written again", stats.bytes_not_written),
                    ("conflicts with other commits", stats.conflicts),
                ] {
                    tr { th scope="row" { (what) } td.number { (count(figure)) } }
                }
            }
        }
    }
}

/// What happened, for a page that shows all that was before.
pub(super) fn event(entries: &[Entry], totals: &Totals, last: u64) -> Event {
    let page = html! {
        div { (self::totals(totals)) }
        ol { @for entry in entries.iter().rev() { (row(entry)) } }
    };
    Event::default().id(last.to_string()).data(page.into_string())
}

fn totals(totals: &Totals) -> Markup {
    html! {
        (saved("Writes avoided", totals.writes_avoided(), totals.always_writes, count))
        (saved("Bytes avoided", totals.bytes_avoided(), totals.always_bytes, bytes))
        p.sum {
            "Requests: " (count(totals.requests)) ", loads: " (count(totals.loads)) ", writes: " (count(totals.writes))
            " of " (bytes(totals.bytes)) ". Compared with writing the whole session on each."
        }
    }
}

/// How much of something was saved, as figures and as a bar.
fn saved(what: &str, saved: u64, all: u64, show: fn(u64) -> String) -> Markup {
    let percent = (saved * 100).checked_div(all).unwrap_or_default();
    html! {
        div.saved {
            span { (what) }
            strong { (percent) " %" }
            i.bar { i style={ "width:" (percent) "%" } {} }
            small { (count(saved)) " of " (show(all)) }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let tape = &entry.tape;
    let wrote = if tape.writes > 0 { "wrote" } else { "" };
    html! {
        li class=(wrote) {
            div.request {
                b { (entry.method) } " " span.path { (entry.path) }
                @if let Some(key) = tape.key() {
                    @let tag = slot_of(key);
                    span.who style={ "--hue:" (hue(tag)) } title="the tag of the session, which tells browsers apart" { (tag) }
                }
                (status(entry.status))
            }
            dl {
                div { dt { "loaded" } dd { (loaded(tape.loaded)) } }
                div { dt { "dirty" } dd { (names(&tape.dirty)) } }
                div { dt { "written" } dd.written { (written(entry)) } }
                div { dt { "always" } dd { (bytes(tape.whole())) } }
            }
            @if tape.looks > 0 || tape.ended > 0 {
                p.others title="of other sessions, or of the store's clock" {
                    "besides, reads: " (count(tape.looks))
                    @if tape.ended > 0 { ", sessions ended: " (count(tape.ended)) }
                }
            }
        }
    }
}

fn status(status: Option<u16>) -> Markup {
    let failed = status.is_none_or(|status| status >= 400);
    let reason = status.and_then(|status| StatusCode::from_u16(status).ok()?.canonical_reason());
    html! {
        span.status.failed[failed] title=[reason] {
            @match status { Some(status) => (status), None => "gone" }
        }
    }
}

fn loaded(loaded: Loading) -> Markup {
    html! {
        @match loaded {
            Loading::NotAsked => span.no { "not asked" },
            Loading::Nothing => "no session",
            Loading::Session { fields, bytes } => { (fields) @if fields == 1 { " field, " } @else { " fields, " } (self::bytes(bytes)) },
        }
    }
}

fn written(entry: &Entry) -> Markup {
    let tape = &entry.tape;
    html! {
        @if tape.writes == 0 && tape.fate != Fate::Refused {
            span.no { "nothing" }
        } @else {
            @if !tape.written.is_empty() { (names(&tape.written)) ", " (bytes(tape.bytes)) " " }
            @match tape.fate {
                Fate::None => "",
                Fate::Created => em { "new" },
                Fate::Renewed => em { "new token" },
                Fate::Destroyed => em { "ended" },
                Fate::Refused => em.failed { "refused" },
                Fate::Prolonged => em { "prolonged" },
            }
        }
    }
}

fn names(names: &[FieldName]) -> Markup {
    html! {
        @if names.is_empty() { span.no { "–" } } @else {
            @for (place, name) in names.iter().enumerate() { @if place > 0 { ", " } code { (name) } }
        }
    }
}

/// A colour for a session.
fn hue(tag: &str) -> u32 {
    tag.bytes().fold(7, |hue, byte| (hue * 131 + u32::from(byte) * 57) % 360)
}

fn bytes(bytes: u64) -> String {
    format!("{} B", count(bytes))
}

/// A number with its thousands apart.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|three| String::from_utf8_lossy(three)).collect();
    groups.join(",")
}
