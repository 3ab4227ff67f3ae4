//! What Prometheus gets to see of sessions: the text of the real exporter, after traffic that has a bit of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use session_runtime::{Expiry, STORE_SECONDS_BUCKETS, Stats};
use session_tests::{Fault, Kept, now};

use super::promql::{Selector, sample};
use crate::place::{Place, Visitor, visit};

const MINUTE: Duration = Duration::from_secs(60);

/// A metric: its kind, what it says of itself, and its labels with their values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) kind: String,
    pub(super) help: String,
    pub(super) labels: BTreeMap<String, BTreeSet<String>>,
}

/// What was exported.
pub(super) struct Exported {
    pub(super) metrics: BTreeMap<String, Metric>,
    pub(super) samples: Vec<(Selector, String)>,
    /// The same, as the program itself counts it.
    pub(super) stats: Stats,
}

impl Exported {
    /// Lets sessions serve traffic, and reads what the exporter tells of it.
    pub(super) fn of_some_traffic() -> Self {
        let seconds = Matcher::Full("session_store_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &STORE_SECONDS_BUCKETS);
        let recorder = builder.expect("buckets").build_recorder();
        let stats = metrics::with_local_recorder(&recorder, traffic);
        Self::read(&recorder.handle().render(), stats)
    }

    fn read(text: &str, stats: Stats) -> Self {
        let mut metrics = BTreeMap::<String, Metric>::new();
        let mut samples = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let [Some(word), Some(name), Some(text)] = [words.next(), words.next(), words.next()] else { continue };
                let metric = metrics.entry(name.to_owned()).or_default();
                let place = if word == "TYPE" { &mut metric.kind } else { &mut metric.help };
                text.clone_into(place);
                continue;
            }
            let (selector, value) = sample(line).unwrap_or_else(|error| panic!("{error} in `{line}`"));
            let metric = metrics.entry(base(&selector.metric).to_owned()).or_default();
            for matcher in selector.matchers.iter().filter(|matcher| matcher.label != "le") {
                metric.labels.entry(matcher.label.clone()).or_default().insert(matcher.value.clone());
            }
            samples.push((selector, value.to_owned()));
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
        found[0].1.parse().expect("a number")
    }
}

/// The metric of which this is a sample: a histogram has several kinds of them.
pub(super) fn base(sample: &str) -> &str {
    let of_histogram = sample.strip_prefix("session_store_seconds");
    of_histogram.map_or(sample, |kind| sample.strip_suffix(kind).unwrap_or(sample))
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
    now(sessions.destroy("1")).expect("it is gone");
    place.pass(200 * MINUTE);
    now(sessions.purge_expired().into_future()).expect("a purge");
    sessions.stats()
}
