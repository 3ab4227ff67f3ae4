//! What Prometheus gets to see of sessions: the text of the real exporter, after traffic that has a bit of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use session_runtime::{Expiry, Stats};
use session_tests::{Fault, Kept, now};

use super::promql::{Selector, sample};
use crate::place::{Place, Visitor, visit};

const MINUTE: Duration = Duration::from_secs(60);

/// A metric: its kind, and its labels with their values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) kind: String,
    pub(super) labels: BTreeMap<String, BTreeSet<String>>,
}

/// What was exported.
pub(super) struct Exported {
    pub(super) metrics: BTreeMap<String, Metric>,
    pub(super) samples: Vec<(Selector, u64)>,
    /// The same, as the program itself counts it.
    pub(super) stats: Stats,
}

impl Exported {
    /// Lets sessions serve traffic, and reads what the exporter tells of it.
    pub(super) fn of_some_traffic() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let stats = metrics::with_local_recorder(&recorder, traffic);
        Self::read(&recorder.handle().render(), stats)
    }

    fn read(text: &str, stats: Stats) -> Self {
        let mut metrics = BTreeMap::<String, Metric>::new();
        let mut samples = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                if let Some((name, kind)) = comment.strip_prefix("TYPE ").and_then(|named| named.split_once(' ')) {
                    kind.clone_into(&mut metrics.entry(name.to_owned()).or_default().kind);
                }
                continue;
            }
            let (selector, value) = sample(line).unwrap_or_else(|error| panic!("{error} in `{line}`"));
            let metric = metrics.entry(selector.metric.clone()).or_default();
            for matcher in &selector.matchers {
                metric.labels.entry(matcher.label.clone()).or_default().insert(matcher.value.clone());
            }
            samples.push((selector, value.parse().expect("a number")));
        }
        Self { metrics, samples, stats }
    }

    /// A sample of the session type of the traffic.
    pub(super) fn value(&self, metric: &str, label: Option<(&str, &str)>) -> u64 {
        let has = |selector: &Selector, (label, value): (&str, &str)| {
            selector.matchers.iter().any(|matcher| matcher.label == label && matcher.value == value)
        };
        let is_it = |selector: &Selector| {
            selector.metric == metric
                && has(selector, ("session", "visitor"))
                && label.is_none_or(|label| has(selector, label))
        };
        let found: Vec<_> = self.samples.iter().filter(|(selector, _)| is_it(selector)).collect();
        assert_eq!(found.len(), 1, "{metric} {label:?}");
        found[0].1
    }
}

/// Creates, changes, empties, ends and purges sessions, with conflicts and faults.
fn traffic() -> Stats {
    let place = Place::default();
    let sessions = Kept::<Visitor, _>::builder(place.clone()).expiry(Expiry::AfterInactivity(30 * MINUTE)).build();
    now(sessions.update("1", visit)).expect("created");
    now(sessions.update("1", visit)).expect("updated, and not touched");
    place.pass(10 * MINUTE);
    let mut first = now(sessions.load("1")).expect("touched");
    let mut second = now(sessions.load("1")).expect("a load");
    visit(&mut first);
    visit(&mut second);
    visit(&mut second);
    now(first.commit()).expect("a commit");
    now(second.commit()).expect("a conflict that is rebased");
    now(second.commit()).expect("unmarked");
    second.edit().theme();
    now(second.commit()).expect("initial");
    second.edit().visits();
    now(second.commit()).expect("the same value");
    visit(&mut second);
    place.fail_commit(Fault::Refused);
    now(second.commit()).expect_err("a fault");
    *second.edit().visits() -= 1;
    now(second.commit()).expect("reverted");
    place.fail_load(Fault::Refused);
    now(sessions.load("1")).map(drop).expect_err("a fault");
    now(second.destroy()).expect("its end");
    place.pass(200 * MINUTE);
    now(sessions.purge_expired().into_future()).expect("a purge");
    sessions.stats()
}
