//! What the project must reach, and whether it does.

use serde::{Deserialize, Serialize};

use super::{Found, median, short, size};
use crate::compare::{Comparison, Ratio, Sample};
use crate::questions::layer::{CHANGED, NO_COOKIE, UNUSED};
use crate::questions::tracking::{
    BOTH, CLEAN, LARGE, LARGE_ENCODED, LARGE_PATCH, LARGE_SAME, NUMBERS, SET, Tracking, VECTOR,
};

/// A row of the first table.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Bar {
    pub what: String,
    pub bar: String,
    pub ours: String,
    pub peer: String,
    pub ratio: String,
    pub limit: String,
    pub reached: bool,
}

const TOWER: &str = "tower-sessions";
const BY_HAND: &str = "by hand";
/// What is said of requests to a server that has a processor for itself.
const APART: &str = ", a processor each";

pub fn of(found: &Found) -> Vec<Bar> {
    let mut bars = Vec::new();
    bars.extend(edit(found));
    bars.extend(unmarked(found));
    bars.extend(derive(found));
    bars.extend(memory(found));
    bars.extend(vector(found));
    bars.extend(large(found));
    let redis = |tasks| if tasks == 32 { 1.3 } else { 1.0 };
    bars.extend(server(&found.requests, "Redis", "", redis));
    bars.extend(server(&found.apart, "Redis", APART, redis));
    bars.extend(sent(found));
    let postgresql = |tasks| if tasks == 1 { 1.0 } else { 1.2 };
    bars.extend(server(&found.requests, "PostgreSQL", "", postgresql));
    bars.extend(server(&found.apart, "PostgreSQL", APART, postgresql));
    bars.extend(server_cpu(found));
    bars.extend(log(found));
    bars.extend(writers(found));
    bars.extend(tail(found));
    bars.extend(layers(found));
    bars
}

fn tracking<'a>(found: &'a Found, side: &str, what: &str) -> Option<&'a Tracking> {
    found.tracking.iter().find(|row| row.side == side && row.what == what)
}

fn edit(found: &Found) -> Vec<Bar> {
    let of = |side, what| tracking(found, side, what)?.instructions;
    let bar = |what: &str, case, strict| {
        let (ours, limit) = (of("session-runtime", case)?, of("mask by hand", case)?);
        Some(Bar {
            what: what.to_owned(),
            bar: if strict { "≤ by hand".to_owned() } else { "–".to_owned() },
            ours: format!("{ours:.0} instructions"),
            peer: of("tracker 0.2", case).map_or("–".to_owned(), |peer| format!("tracker {peer:.0}")),
            ratio: format!("{:.2} of by hand", ours / limit),
            limit: format!("{limit:.0}"),
            // A whole instruction more counts, not what starting the loop costs.
            reached: !strict || ours.round() <= limit.round(),
        })
    };
    bar("`*v.edit().field() = x`", SET, true).into_iter().collect()
}

fn unmarked(found: &Found) -> Option<Bar> {
    let allocations = found.allocations.as_ref()?.unmarked_commit;
    Some(Bar {
        what: "commit, nothing marked".to_owned(),
        bar: "0 allocations".to_owned(),
        ours: allocations.to_string(),
        peer: "–".to_owned(),
        ratio: "–".to_owned(),
        limit: "0".to_owned(),
        reached: allocations == 0,
    })
}

fn derive(found: &Found) -> Option<Bar> {
    let derive = found.derive?;
    let worst = derive.check.max(derive.build);
    Some(Bar {
        what: "build time of the derive".to_owned(),
        bar: "≤ 0.5 × serde's two".to_owned(),
        ours: format!("check {:.2}, build {:.2}", derive.check, derive.build),
        peer: "1".to_owned(),
        ratio: format!("{worst:.2}"),
        limit: "–".to_owned(),
        reached: worst <= 0.5,
    })
}

fn request<'a>(
    requests: &'a [Comparison],
    engine: &str,
    verb: &str,
    untouched: usize,
    tasks: u32,
) -> Option<&'a Comparison> {
    requests.iter().find(|comparison| {
        comparison.engine == engine
            && comparison.verb == verb
            && comparison.untouched == untouched
            && comparison.tasks == tasks
    })
}

/// A bar on a ratio to tower-sessions.
fn against_tower(
    comparison: &Comparison,
    what: String,
    unit: &str,
    figure: impl Fn(&Sample) -> f64 + Copy,
    bar: (&str, f64),
) -> Option<Bar> {
    let ratio: Ratio = comparison.ratio(TOWER, figure)?;
    let of = |side| comparison.side(side).map(|series| series.median(figure));
    let shown = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{} {unit}", short(value)));
    Some(Bar {
        what,
        bar: format!("{} {} ×", bar.0, bar.1),
        ours: shown(of("session-runtime")),
        peer: shown(of(TOWER)),
        ratio: ratio.to_string(),
        limit: shown(of(BY_HAND)),
        reached: if bar.0 == "≤" { ratio.median <= bar.1 } else { ratio.median >= bar.1 },
    })
}

fn memory(found: &Found) -> Vec<Bar> {
    let bar = |untouched, most| {
        let comparison = request(&found.requests, "memory", "change", untouched, 1)?;
        let what = format!("memory, load → change → commit, {}, CPU", size(untouched));
        against_tower(comparison, what, "µs", |sample| sample.client, ("≤", most))
    };
    [(0, 0.6), (10_240, 1.0)].into_iter().filter_map(|(untouched, most)| bar(untouched, most)).collect()
}

fn vector(found: &Found) -> Option<Bar> {
    let of = |side| Some(tracking(found, side, NUMBERS)?.nanoseconds);
    let (ours, allocations) = (of("session-runtime")?, found.allocations.as_ref()?.vector);
    Some(Bar {
        what: "vector of 32 numbers marked, unchanged".to_owned(),
        bar: "≤ 160 ns, 1 allocation".to_owned(),
        ours: format!("{ours:.0} ns, {allocations}"),
        peer: of("clone and compare").map_or("–".to_owned(), |peer| format!("clone and compare {peer:.0} ns")),
        ratio: "–".to_owned(),
        limit: "–".to_owned(),
        reached: ours <= 160.0 && allocations <= 1,
    })
}

fn large(found: &Found) -> Vec<Bar> {
    let of = |what| Some(tracking(found, "session-runtime", what)?.nanoseconds);
    let (Some(alone), Some(encoded), Some(dirty), Some(patch)) =
        (of(LARGE_ENCODED), of(LARGE_SAME), of(LARGE), of(LARGE_PATCH))
    else {
        return Vec::new();
    };
    let bar = |what: &str, extra: f64, most: f64| Bar {
        what: what.to_owned(),
        bar: format!("≤ {most} × its encoding"),
        ours: format!("{} µs", short(extra / 1000.0)),
        peer: "–".to_owned(),
        ratio: format!("{:.2}", extra / encoded),
        limit: format!("encoding {} µs, {} by serde_json alone", short(encoded / 1000.0), short(alone / 1000.0)),
        reached: extra / encoded <= most,
    };
    vec![
        bar("10 KB field really changed, comparing", dirty - encoded, 0.2),
        bar("10 KB field, what a patch adds (reading back)", patch - dirty, 6.0),
    ]
}

fn server(requests: &[Comparison], engine: &str, place: &str, least: impl Fn(u32) -> f64) -> Vec<Bar> {
    let mut bars = Vec::new();
    for verb in ["read", "change"] {
        for tasks in [1, 8, 32] {
            let Some(comparison) = request(requests, engine, verb, 0, tasks) else { continue };
            let what = format!("{engine}, {verb}, {tasks} task{}{place}", if tasks == 1 { "" } else { "s" });
            bars.extend(against_tower(comparison, what, "/s", |sample| sample.throughput, ("≥", least(tasks))));
        }
    }
    bars
}

fn server_cpu(found: &Found) -> Option<Bar> {
    let comparison = request(&found.requests, "PostgreSQL", "change", 0, 8)?;
    let figure = |sample: &Sample| sample.server.unwrap_or(f64::NAN);
    against_tower(comparison, "PostgreSQL, server CPU per change, 8 tasks".to_owned(), "µs", figure, ("≤", 1.2))
}

fn sent(found: &Found) -> Vec<Bar> {
    let rows = |untouched| {
        let of = |side: &str| {
            let row = found
                .wire
                .iter()
                .find(|row| row.engine == "Redis" && row.side == side && row.untouched == untouched)?;
            Some(row.save.sent)
        };
        let (ours, peer) = (of("session-runtime")?, of(TOWER)?);
        Some(Bar {
            what: format!("Redis, bytes sent per commit, {}", size(untouched)),
            bar: "≤ 220".to_owned(),
            ours: short(ours),
            peer: short(peer),
            ratio: format!("{:.2}", ours / peer),
            limit: of(BY_HAND).map_or("–".to_owned(), short),
            reached: ours <= 220.0,
        })
    };
    [0, 10_240].into_iter().filter_map(rows).collect()
}

fn log(found: &Found) -> Option<Bar> {
    let most = |side: &str| {
        let rows = found.wire.iter().filter(|row| row.engine == "PostgreSQL" && row.side == side);
        rows.filter_map(|row| row.log).max_by(f64::total_cmp)
    };
    let ours = most("session-runtime")?;
    Some(Bar {
        what: "PostgreSQL, WAL per commit, the most of all sizes".to_owned(),
        bar: "≤ 512 bytes".to_owned(),
        ours: short(ours),
        peer: most(TOWER).map_or("–".to_owned(), short),
        ratio: most(TOWER).map_or("–".to_owned(), |peer| format!("{:.3}", ours / peer)),
        limit: most(BY_HAND).map_or("–".to_owned(), short),
        reached: ours <= 512.0,
    })
}

fn writers(found: &Found) -> Option<Bar> {
    let comparison = found.writers.as_ref()?;
    against_tower(comparison, "SQLite, 32 writers, FULL".to_owned(), "/s", |sample| sample.throughput, ("≥", 4.0))
}

fn tail(found: &Found) -> Option<Bar> {
    let comparison = found.crowd.iter().find(|comparison| comparison.engine == "memory")?;
    against_tower(comparison, "memory, 99th percentile, 32 tasks".to_owned(), "µs", |sample| sample.p99, ("≤", 1.0))
}

fn layers(found: &Found) -> Vec<Bar> {
    let Some(layers) = found.layers.iter().find(|layers| layers.framework == "axum") else { return Vec::new() };
    let (none, unused) = (median(&layers.none), layers.request(UNUSED));
    let over = |costs: &[f64]| Ratio::of(costs.iter().zip(&layers.none).map(|(cost, none)| cost - none));
    let mut bars: Vec<Bar> = unused
        .map(|cost| (over(&cost.ours), over(&cost.theirs)))
        .map(|(ours, theirs)| Bar {
            what: "axum, session unused, CPU over no layer".to_owned(),
            bar: "≤ 0.3 µs".to_owned(),
            ours: format!("{:.2} µs", ours.median),
            peer: format!("{:.2} µs", theirs.median),
            ratio: format!("{:.2}", ours.median / theirs.median),
            limit: format!("{none:.2} µs without"),
            reached: ours.median <= 0.3,
        })
        .into_iter()
        .collect();
    bars.extend([(NO_COOKIE, 1.0), (CHANGED, 0.7)].into_iter().filter_map(|(request, most)| {
        let cost = layers.request(request)?;
        Some(Bar {
            what: format!("axum, {request}, CPU"),
            bar: format!("≤ {most} ×"),
            ours: format!("{:.2} µs", median(&cost.ours)),
            peer: format!("{:.2} µs", median(&cost.theirs)),
            ratio: cost.ratio().to_string(),
            limit: format!("{none:.2} µs without"),
            reached: cost.ratio().median <= most,
        })
    }));
    bars
}

/// The cases that every side of the tracking has.
pub const SHARED: [&str; 4] = [SET, CLEAN, BOTH, VECTOR];
