//! The report as a page.

use std::fmt::Write;

use super::bars::SHARED;
use super::{Bar, Found, Run, median, short, size};
use crate::compare::{Comparison, Sample};
use crate::questions::calls;
use crate::questions::users::{INDEXED, PLAIN, Sent, Travel};
use crate::questions::waste::{Did, Waste};

/// A file, and what it shows.
pub type Drawn = (String, String);

pub fn of(found: &Found, charts: &[Drawn]) -> String {
    let mut page = "# session-runtime beside its peers\n\n".to_owned();
    for Run { command, commit, seconds } in &found.runs {
        let _ = writeln!(page, "`{command}`, commit {commit}, {} processors, {seconds:.0} s.  ", found.processors);
    }
    page.push_str(
        "\nSides take turns in one process, forward and backward; a figure is the median of the rounds, a ratio the \
         median of the rounds' ratios, ours divided by the peer's, with the least and the most. tower-sessions' SQLx \
         stores run in a process of their own that is handed its turns, because a program can link one SQLite only. \
         tower-sessions is 0.15 on memory; its Redis (fred, a pool of 6) and SQLx stores fit its core 0.14. \
         CPU is processor time. PostgreSQL runs with `fsync = off` and Redis without an append-only file, so that \
         work is compared and not this machine's disk; SQLite's 32 writers wait for the disk.\n\n",
    );
    for left_out in &found.left_out {
        let _ = writeln!(page, "Left out: {left_out}\n");
    }
    page.push_str("## Bars\n\n");
    page.push_str(&bars(&found.bars));
    calls_of(found, &mut page);
    traffic(found, &mut page);
    speed("Requests", &found.requests, &mut page);
    speed("Requests, a processor for the server and one for its clients", &found.apart, &mut page);
    speed("A crowd, most of it on few sessions", &found.crowd, &mut page);
    speed("32 writers, SQLite, synchronous = FULL", found.writers.as_slice(), &mut page);
    wire(found, &mut page);
    users(found, &mut page);
    layers(found, &mut page);
    super::bots::of(found, &mut page);
    waste(found, &mut page);
    lines(found, &mut page);
    growth(found, &mut page);
    tracking(found, &mut page);
    memory(found, &mut page);
    builds(found, &mut page);
    if !charts.is_empty() {
        page.push_str("\n## Charts\n");
        for (file, title) in charts {
            let _ = write!(page, "\n![{title}]({file})\n");
        }
    }
    page
}

pub fn bars(bars: &[Bar]) -> String {
    let rows = bars.iter().map(|bar| {
        let reached = if bar.reached { "yes" } else { "**no**" };
        [&*bar.what, &bar.bar, &bar.ours, &bar.peer, &bar.ratio, &bar.limit, reached].map(str::to_owned).to_vec()
    });
    table(&["", "bar", "ours", "peer", "ratio", "limit by hand", "reached"], rows)
}

pub(super) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

pub(super) fn section(page: &mut String, title: &str, text: &str) {
    let _ = write!(page, "\n## {title}\n\n");
    if !text.is_empty() {
        let _ = write!(page, "{text}\n\n");
    }
}

fn calls_of(found: &Found, page: &mut String) {
    if found.calls.is_empty() {
        return;
    }
    section(page, "Store calls per request", "L load, C create, S save, T touch, D remove, E exists.");
    let head: Vec<&str> = std::iter::once("request").chain(found.calls.iter().map(|calls| &*calls.side)).collect();
    let rows = calls::names().into_iter().enumerate().map(|(row, name)| {
        let cells = found.calls.iter().map(|calls| calls.calls.get(row).cloned().unwrap_or_default());
        std::iter::once(name.to_owned()).chain(cells).collect()
    });
    page.push_str(&table(&head, rows));
}

fn traffic(found: &Found, page: &mut String) {
    if found.traffic.is_empty() {
        return;
    }
    section(page, "Traffic", "What is read and written when requests are served; bytes are those of the values.");
    let rows = found.traffic.iter().map(|row| {
        let traffic = format!("{}: {} requests, {} clients", row.traffic, row.requests, row.clients);
        let figures = [row.loads, row.writes, row.bytes].map(|figure| figure.to_string());
        [traffic, row.side.clone()].into_iter().chain(figures).collect()
    });
    page.push_str(&table(&["traffic", "side", "loads", "writes", "bytes written"], rows));
}

fn speed(title: &str, comparisons: &[Comparison], page: &mut String) {
    if comparisons.is_empty() {
        return;
    }
    section(page, title, "Ratios are to tower-sessions. CPU in µs per request, percentiles in µs.");
    let rows = comparisons.iter().flat_map(|comparison| {
        comparison.sides.iter().map(|series| {
            let median = |figure: fn(&Sample) -> f64| short(series.median(figure));
            let ratio = |figure: fn(&Sample) -> f64| match &*series.side {
                "session-runtime" => {
                    comparison.ratio("tower-sessions", figure).map_or(String::new(), |r| r.to_string())
                }
                _ => String::new(),
            };
            let server = series.median(|sample| sample.server.unwrap_or(f64::NAN));
            vec![
                comparison.engine.clone(),
                comparison.verb.clone(),
                size(comparison.untouched),
                comparison.tasks.to_string(),
                series.side.clone(),
                median(|sample| sample.throughput),
                ratio(|sample| sample.throughput),
                median(|sample| sample.client),
                short(server),
                ratio(Sample::cpu),
                median(|sample| sample.p50),
                median(|sample| sample.p99),
                median(|sample| sample.p999),
            ]
        })
    });
    let head = [
        "engine",
        "request",
        "untouched",
        "tasks",
        "side",
        "per second",
        "ratio",
        "CPU client",
        "CPU server",
        "ratio of both",
        "50 %",
        "99 %",
        "99.9 %",
    ];
    page.push_str(&table(&head, rows));
}

fn wire(found: &Found, page: &mut String) {
    if found.wire.is_empty() {
        return;
    }
    section(
        page,
        "On the wire",
        "Per request of one task, counted by a proxy. A save is what a change adds to a read. Commands are those that \
         Redis counted per change, the ones that scripts call included. WAL in bytes.",
    );
    let rows = found.wire.iter().map(|row| {
        let commands: Vec<String> = row.commands.iter().map(|(name, each)| format!("{name} {each:.1}")).collect();
        vec![
            row.engine.clone(),
            size(row.untouched),
            row.side.clone(),
            short(row.read.sent),
            short(row.read.received),
            format!("{:.1}", row.read.round_trips),
            short(row.save.sent),
            short(row.save.received),
            format!("{:.1}", row.save.round_trips),
            commands.join(", "),
            row.log.map_or(String::new(), short),
        ]
    });
    let head = [
        "engine",
        "untouched",
        "side",
        "read: sent",
        "received",
        "writes to the socket",
        "save: sent",
        "received",
        "writes to the socket",
        "commands",
        "WAL",
    ];
    page.push_str(&table(&head, rows));
}

fn users(found: &Found, page: &mut String) {
    let Some(stored) = found.users.iter().map(|users| users.stored).max() else { return };
    section(
        page,
        "Sessions of a user",
        &format!(
            "µs. A commit by one task that sets an indexed field, beside one that sets the same field without an \
             index; a ratio is the index's price. `find` finds the 10 sessions of a user among {stored}. Behind the \
             times, how often a request writes to its socket, and the commands that Redis counted, the ones that \
             scripts call included. A median of 4 ms on a server is no work: on a machine where others keep the \
             processors busy, a process that is woken waits for the next tick of the scheduler."
        ),
    );
    let rows = found.users.iter().map(|users| {
        let series = |side| users.commits.side(side);
        let p50 = |side| series(side).map_or(f64::NAN, |series| series.median(|sample| sample.p50));
        let cpu = |side| series(side).map_or(f64::NAN, |series| series.median(Sample::cpu));
        let ratio = |figure: fn(&Sample) -> f64| {
            users.commits.ratio(PLAIN, figure).map_or(String::new(), |ratio| ratio.to_string())
        };
        let travel =
            |of: fn(&Travel) -> &Sent| users.travel.as_ref().map_or("–".to_owned(), |travel| sent(of(travel)));
        vec![
            users.commits.engine.clone(),
            short(p50(INDEXED)),
            short(p50(PLAIN)),
            ratio(|sample| sample.p50),
            short(cpu(INDEXED)),
            short(cpu(PLAIN)),
            ratio(Sample::cpu),
            travel(|travel| &travel.indexed),
            travel(|travel| &travel.plain),
            short(users.p50),
            short(users.p99),
            travel(|travel| &travel.find),
        ]
    });
    let head = [
        "engine",
        "commit, index: 50 %",
        "no index: 50 %",
        "ratio",
        "CPU of both, index",
        "no index",
        "ratio",
        "commit, index: sent",
        "no index: sent",
        "find: 50 %",
        "99 %",
        "sent",
    ];
    page.push_str(&table(&head, rows));
}

fn sent(sent: &Sent) -> String {
    let commands: Vec<String> = sent.commands.iter().map(|(name, each)| format!(", {name} {each:.1}")).collect();
    format!("{:.1}{}", sent.round_trips, commands.concat())
}

fn layers(found: &Found, page: &mut String) {
    if found.layers.is_empty() {
        return;
    }
    section(
        page,
        "In a web server",
        "µs of CPU per request of an application in this process, without a network, on memory stores; a session of \
         three small fields. actix-session has no store in memory, so it has one from here, and a signed cookie.",
    );
    let rows = found.layers.iter().flat_map(|layers| {
        let alone = [layers.framework.clone(), "no sessions".to_owned(), shown(&layers.none)];
        let requests = layers.requests.iter().map(|cost| {
            let ours = shown(&cost.ours);
            let theirs = format!("{}: {}", layers.peer, shown(&cost.theirs));
            vec![layers.framework.clone(), cost.request.clone(), ours, theirs, cost.ratio().to_string()]
        });
        std::iter::once(alone.into_iter().chain([String::new(), String::new()]).collect()).chain(requests)
    });
    page.push_str(&table(&["framework", "request", "session-runtime", "peer", "ratio"], rows));
}

fn shown(figures: &[f64]) -> String {
    format!("{:.2}", median(figures))
}

fn waste(found: &Found, page: &mut String) {
    if found.waste.is_empty() {
        return;
    }
    section(
        page,
        "What sessionctl waste says",
        "Each cell: what it says / what was written, by the server's count and a model of the requests (on PostgreSQL, by the count of the load).",
    );
    let rows = found.waste.iter().map(|Waste { library, written, said, seem, has_reads, .. }| {
        let of_overlaps = |figures: String| if *has_reads { figures } else { "–".to_owned() };
        let both = |of: fn(&Did) -> u64| format!("{} / {}", of(said), of(written));
        vec![
            library.clone(),
            both(|did| did.writes),
            both(|did| did.first),
            both(|did| did.nothing),
            both(|did| did.only_expiry),
            both(|did| did.one_part),
            both(|did| did.more_parts),
            of_overlaps(both(|did| did.overlapped)),
            of_overlaps(seem.to_string()),
        ]
    });
    let head =
        ["library", "writes", "first", "nothing", "only expiry", "one part", "more", "overlaps", "of them unsure"];
    page.push_str(&table(&head, rows));
}

fn lines(found: &Found, page: &mut String) {
    if found.lines.is_empty() {
        return;
    }
    section(
        page,
        "Lines",
        "The same program by two libraries, each as safe as its library makes it; lines without blank ones and \
         comments, in tests/peers. On axum a counter, a theme, a login and a logout; in a bot a counter, and a \
         dialogue of two questions. What tower-sessions' still does not give: of two requests at the same time one \
         loses its change, a request in flight brings a session back that was logged out, and the store holds what a \
         client's cookie holds. What teloxide's still do not give: of two updates of a chat in two \
         processes one loses its change, one that comes twice is done twice, and every chat that was ever heard of is \
         stored.",
    );
    let rows = found
        .lines
        .iter()
        .map(|lines| vec![lines.program.clone(), lines.side.clone(), lines.file.clone(), lines.lines.to_string()]);
    page.push_str(&table(&["program", "side", "file", "lines"], rows));
}

fn growth(found: &Found, page: &mut String) {
    if found.growth.is_empty() {
        return;
    }
    section(page, "Growth", "µs of CPU, client and server, per request; `prepare` is wall time.");
    let rows = found.growth.iter().map(|line| {
        let points: Vec<String> = line.points.iter().map(|(x, y)| format!("{}: {}", short(*x), short(*y))).collect();
        vec![line.by.clone(), line.engine.clone(), line.verb.clone(), line.side.clone(), points.join(" · ")]
    });
    page.push_str(&table(&["by", "engine", "request", "side", "µs"], rows));
}

fn tracking(found: &Found, page: &mut String) {
    if found.tracking.is_empty() {
        return;
    }
    section(
        page,
        "Tracking",
        "ns / instructions, ten fields. Only session-runtime, clone and compare and structdiff find that a borrowed \
         vector did not change; session-runtime's collecting encodes what changed, ready to be sent.",
    );
    let mut sides: Vec<&str> = found.tracking.iter().map(|row| &*row.side).collect();
    sides.dedup();
    let rows = sides.into_iter().map(|side| {
        let cells = SHARED.into_iter().map(|what| {
            let row = found.tracking.iter().find(|row| row.side == side && row.what == what);
            row.map_or(String::new(), |row| {
                let instructions = row.instructions.map_or("–".to_owned(), |count| format!("{count:.0}"));
                format!("{} / {instructions}", short(row.nanoseconds))
            })
        });
        std::iter::once(side.to_owned()).chain(cells).collect()
    });
    let head: Vec<&str> = std::iter::once("side").chain(SHARED).collect();
    page.push_str(&table(&head, rows));
}

fn memory(found: &Found, page: &mut String) {
    let Some(counted) = &found.allocations else { return };
    section(page, "Memory", "Bytes, on the memory store; a small session of ten fields.");
    let rows = [("session", counted.session), ("handle", counted.handle)];
    let rows = rows.into_iter().map(|(what, [ours, tower])| vec![what.to_owned(), short(ours), short(tower)]);
    page.push_str(&table(&["", "session-runtime", "tower-sessions"], rows));
}

fn builds(found: &Found, page: &mut String) {
    if found.builds.is_empty() {
        return;
    }
    section(
        page,
        "Building",
        "A program that depends on one side: crates, and seconds of processor time of a clean release build.",
    );
    let rows = found.builds.iter().map(|build| {
        let seconds = build.seconds.map_or("not measured".to_owned(), |seconds| format!("{seconds:.0}"));
        vec![build.side.clone(), build.crates.to_string(), seconds]
    });
    page.push_str(&table(&["program", "crates", "seconds"], rows));
}
