//! What people see of sessions that run: the metrics as Prometheus gets them, the dashboard, the alerts and the page about
//! them name the same things.

mod exported;
mod promql;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use exported::{Exported, Metric, base};
use promql::{Query, Selector};

/// A file of the documentation.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page() -> String {
    read("running-in-production.md")
}

fn dashboard() -> Value {
    serde_json::from_str(&read("monitoring/dashboard.json")).expect("JSON")
}

#[test]
fn prometheus_gets_what_the_program_counts() {
    let exported = Exported::of_some_traffic();
    let stats = exported.stats;
    for (metric, label, counted) in [
        ("session_loads_total", None, stats.loads),
        ("session_load_failures_total", None, stats.load_failures),
        ("session_touches_total", Some(("result", "sent")), stats.touches_sent),
        ("session_touches_total", Some(("result", "skipped")), stats.touches_skipped),
        ("session_commits_total", Some(("outcome", "created")), stats.commits_created),
        ("session_commits_total", Some(("outcome", "updated")), stats.commits_updated),
        ("session_commits_total", Some(("outcome", "removed")), stats.commits_removed),
        ("session_commits_total", Some(("outcome", "failed")), stats.commits_failed),
        ("session_writes_avoided_total", Some(("cause", "unmarked")), stats.avoided_unmarked),
        ("session_writes_avoided_total", Some(("cause", "initial")), stats.avoided_initial),
        ("session_writes_avoided_total", Some(("cause", "same value")), stats.avoided_same_value),
        ("session_writes_avoided_total", Some(("cause", "reverted")), stats.avoided_reverted),
        ("session_conflicts_total", None, stats.conflicts),
        ("session_bytes_written_total", None, stats.bytes_written),
        ("session_purged_total", None, stats.purged),
    ] {
        assert!(counted > 0, "{metric} {label:?} did not happen: {stats:?}");
        assert_eq!(exported.value(metric, label), counted, "{metric} {label:?}");
    }
}

#[test]
fn the_page_lists_the_metrics_that_there_are_and_no_others() {
    let without_names = |mut metric: Metric| {
        // The names of session types are the user's.
        metric.labels.entry("session".to_owned()).or_default().clear();
        metric
    };
    let exported = Exported::of_some_traffic().metrics;
    let exported: BTreeMap<_, _> = exported.into_iter().map(|(name, metric)| (name, without_names(metric))).collect();
    let mut documented = BTreeMap::new();
    let page = page();
    let section = page.split("\n## ").find(|section| section.starts_with("Metrics")).expect("a section");
    for row in section.lines().filter_map(|line| line.strip_prefix("| `session_")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let name = format!("session_{}", cells[0].trim_end_matches('`'));
        assert_eq!(cells[2] == "bytes", name.contains("bytes"), "the unit of {name}");
        assert!(cells[4].starts_with(cells[2]), "{name} says of itself in which unit it counts");
        let labels = cells[3].split(';').map(|label| {
            let mut words = label.split('`').skip(1).step_by(2).map(str::to_owned);
            (words.next().expect("a label"), words.collect())
        });
        let (kind, help) = (cells[1].to_owned(), cells[4].to_owned());
        let metric = Metric { kind, help, labels: labels.collect() };
        assert_eq!(documented.insert(name.clone(), metric), None, "{name} stands there twice");
    }
    assert_eq!(documented, exported);
}

/// Fails if a query names what is not exported, or shows a label that its result does not have.
fn check(place: &str, query: &str, shown: &str, exported: &BTreeMap<String, Metric>) -> Vec<Selector> {
    let Query { selectors, grouped } = Query::parse(query).unwrap_or_else(|error| panic!("{place}: {error}"));
    for Selector { metric, matchers } in &selectors {
        let Some(Metric { labels, .. }) = exported.get(base(metric)) else { panic!("{place}: there is no {metric}") };
        let has = |label: &str| labels.contains_key(label) || label == "le" && metric.ends_with("_bucket");
        for matcher in matchers {
            let Some(values) = labels.get(&matcher.label) else {
                panic!("{place}: {metric} has no label {}", matcher.label)
            };
            for value in matcher.values() {
                assert!(values.contains(value), "{place}: {} of {metric} is never {value}", matcher.label);
            }
        }
        for label in &grouped {
            assert!(has(label), "{place}: {metric} has no label {label}");
        }
    }
    for label in shown.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")) {
        let label = label.0.trim().trim_start_matches("$labels.");
        assert!(grouped.iter().any(|grouped| grouped == label), "{place}: {label} is shown and not grouped by");
    }
    selectors
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value:#}"))
}

#[test]
fn each_panel_asks_for_what_is_exported_and_each_metric_is_on_a_panel() {
    let exported = Exported::of_some_traffic().metrics;
    let dashboard = dashboard();
    let mut shown = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = text(panel, "title");
        assert!(text(panel, "description").len() > 40, "{title} is not explained");
        assert_eq!(text(&panel["datasource"], "uid"), "${datasource}", "{title}");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title} asks for nothing");
        for target in targets {
            let selectors = check(title, text(target, "expr"), text(target, "legendFormat"), &exported);
            assert!(
                selectors.iter().all(|selector| selector.matchers.iter().any(|matcher| matcher.value == "$session")),
                "{title} shows all session types, whichever is chosen"
            );
            shown.extend(selectors.iter().map(|selector| base(&selector.metric).to_owned()));
        }
    }
    assert_eq!(shown, exported.keys().cloned().collect(), "what is on panels, and what is exported");

    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let names: Vec<_> = variables.iter().map(|variable| text(variable, "name")).collect();
    assert_eq!(names, ["datasource", "session"]);
    assert_eq!(text(&variables[1], "query"), "label_values(session_loads_total, session)");
    assert!(exported["session_loads_total"].labels.contains_key("session"));
}

#[test]
fn panels_stand_beside_each_other_and_none_on_another() {
    let dashboard = dashboard();
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].as_u64().expect("a number")), "an id twice");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
        assert!(w > 0 && h > 0 && x + w <= 24, "{}", text(panel, "title"));
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{} stands on another panel", text(panel, "title"));
        }
    }
}

/// What Grafana's published schema of a dashboard (`kinds/dashboard/dashboard_kind.cue`) asks of the parts that are used.
#[test]
fn the_dashboard_has_the_shape_that_grafana_reads() {
    let dashboard = dashboard();
    assert!((8..=40).contains(&text(&dashboard, "uid").len()), "the uid");
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| (36..=u64::from(u16::MAX)).contains(&version)));
    assert!(dashboard["editable"].is_boolean() && dashboard["annotations"]["list"].is_array());
    for key in ["title", "refresh", "timezone"] {
        text(&dashboard, key);
    }
    for key in ["from", "to"] {
        assert!(text(&dashboard["time"], key).starts_with("now"), "{key}");
    }
    for variable in dashboard["templating"]["list"].as_array().expect("variables") {
        assert!(["query", "datasource"].contains(&text(variable, "type")), "{variable:#}");
    }
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = text(panel, "title");
        assert!(["stat", "timeseries"].contains(&text(panel, "type")), "{title}");
        assert!(panel["fieldConfig"]["overrides"].is_array(), "{title}");
        let targets = panel["targets"].as_array().expect("targets");
        let names: BTreeSet<_> = targets.iter().map(|target| text(target, "refId")).collect();
        assert_eq!(names.len(), targets.len(), "{title}: two queries of one name");
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(["Bps", "ops", "percentunit", "s", "short"].contains(&text(defaults, "unit")), "{title}");
        if let Some(thresholds) = defaults.get("thresholds") {
            assert!(["absolute", "percentage"].contains(&text(thresholds, "mode")), "{title}");
            let steps = thresholds["steps"].as_array().expect("steps");
            assert!(steps.iter().all(|step| step["color"].is_string()), "{title}");
            let values: Vec<_> = steps.iter().map(|step| step["value"].as_f64()).collect();
            assert!(values.first() == Some(&None) && values.is_sorted(), "{title}: from nothing upwards");
        }
    }
}

#[test]
fn each_alert_asks_for_what_is_exported_and_is_explained() {
    let exported = Exported::of_some_traffic().metrics;
    let alerts = read("monitoring/alerts.yml");
    let lines: Vec<_> = alerts.lines().map(|line| line.trim().trim_start_matches("- ")).collect();
    let values = |key: &str| lines.iter().filter_map(|line| line.strip_prefix(key)).collect::<Vec<_>>();
    let (names, queries, summaries) = (values("alert: "), values("expr: "), values("summary: "));
    assert_eq!((names.len(), queries.len()), (summaries.len(), summaries.len()), "each with both");
    for ((name, query), summary) in names.iter().zip(queries).zip(summaries) {
        assert!(!check(name, query, summary, &exported).is_empty(), "{name} asks for nothing");
    }
    let page = page();
    let alerts = page.split("\n## ").find(|section| section.starts_with("Alerts")).expect("a section");
    let rows = alerts.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(rows.map(|(name, _)| name).collect::<Vec<_>>(), names, "what the page explains");
}
