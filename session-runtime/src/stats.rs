//! What sessions cost and what they save, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one session type.
///
/// They stand alone in memory: what commits only read does not share a cache line with what each of them writes.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Counters {
    values: [AtomicU64; LEN],
    #[cfg(feature = "metrics")]
    exported: exported::Exported,
}

impl Counters {
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "only exported counters have a label"))]
    pub(crate) fn new(session: &Arc<str>) -> Arc<Self> {
        Arc::new(Self {
            values: [const { AtomicU64::new(0) }; LEN],
            #[cfg(feature = "metrics")]
            exported: exported::Exported::new(session.clone()),
        })
    }

    /// One relaxed increment; with the feature `metrics`, one more in the program's exporter.
    #[inline]
    pub(crate) fn add(&self, count: Count, by: u64) {
        self.values[count as usize].fetch_add(by, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        self.exported.add(count, by);
    }

    fn get(&self, count: Count) -> u64 {
        self.values[count as usize].load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($count:ident $field:ident $metric:literal $({ $label:literal: $value:literal })? $meaning:literal)*) => {
        /// What the sessions of one type have cost and saved since the program started.
        ///
        /// With the feature `metrics`, the same is exported as counters through the crate `metrics`, each with the
        /// label `session`, the session's name. Install the exporter before the first session is loaded: the counters
        /// are registered then.
        ///
        /// | field | metric | counts |
        /// |---|---|---|
        $(#[doc = concat!(
            "| `", stringify!($field), "` | `", $metric, $("{", $label, "=", $value, "}",)? "` | ", $meaning, " |"
        )])*
        ///
        /// A commit that nothing was sent for has one cause. A field that was changed and changed back counts as
        /// never changed, unless it was seen in between: by [`dirty`](crate::Handle::dirty), or by a commit that
        /// failed. *Not written* is what a commit that wrote the whole session would have sent in addition; commits
        /// of untouched sessions, which look at nothing, are left out of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Stats {
            $(#[doc = $meaning] #[doc = ""] pub $field: u64,)*
        }

        #[derive(Debug, Clone, Copy)]
        pub(crate) enum Count {
            $($count,)*
        }

        const LEN: usize = [$(Count::$count),*].len();

        impl Counters {
            pub(crate) fn stats(&self) -> Stats {
                Stats { $($field: self.get(Count::$count),)* }
            }
        }

        #[cfg(feature = "metrics")]
        mod exported {
            use std::fmt;
            use std::sync::{Arc, OnceLock};

            use metrics::{Counter, counter};

            use super::{Count, LEN};

            /// The counters in the program's exporter, once they are registered.
            pub(super) struct Exported {
                session: Arc<str>,
                counters: OnceLock<[Counter; LEN]>,
            }

            impl Exported {
                pub(super) fn new(session: Arc<str>) -> Self {
                    Self { session, counters: OnceLock::new() }
                }

                #[inline]
                pub(super) fn add(&self, count: Count, by: u64) {
                    self.counters.get_or_init(|| self.register())[count as usize].increment(by);
                }

                #[cold]
                fn register(&self) -> [Counter; LEN] {
                    [$(counter!($metric, "session" => self.session.clone() $(, $label => $value)?),)*]
                }
            }

            impl fmt::Debug for Exported {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct("Exported").field("session", &self.session).finish_non_exhaustive()
                }
            }
        }
    };
}

counters! {
    Loads loads "session_loads_total"
        "loads"
    LoadFailures load_failures "session_load_failures_total"
        "loads for which the store failed, or whose session could not be read"
    TouchesSent touches_sent "session_touches_total" { "result": "sent" }
        "loads that moved a sliding expiry"
    TouchesSkipped touches_skipped "session_touches_total" { "result": "skipped" }
        "loads of a stored session with a sliding expiry that did not move it, since that was not due"
    Created commits_created "session_commits_total" { "outcome": "created" }
        "commits that stored a session that was not stored"
    Updated commits_updated "session_commits_total" { "outcome": "updated" }
        "commits that changed a stored session"
    Removed commits_removed "session_commits_total" { "outcome": "removed" }
        "commits after which the session was no longer stored, destructions included"
    Unchanged commits_unchanged "session_commits_total" { "outcome": "unchanged" }
        "commits that were sent and neither found nor left a stored session"
    Failed commits_failed "session_commits_total" { "outcome": "failed" }
        "commits that ended in an error"
    Unmarked avoided_unmarked "session_writes_avoided_total" { "cause": "unmarked" }
        "commits that sent nothing, because no field was borrowed for change"
    Initial avoided_initial "session_writes_avoided_total" { "cause": "initial" }
        "commits that sent nothing, because the borrowed fields are not stored and hold their initial values"
    SameValue avoided_same_value "session_writes_avoided_total" { "cause": "same value" }
        "commits that sent nothing, because the borrowed fields hold what is stored"
    Reverted avoided_reverted "session_writes_avoided_total" { "cause": "reverted" }
        "commits that sent nothing, because what was seen to be changed was changed back"
    FieldsWritten fields_written "session_fields_written_total"
        "fields that were stored or removed by commits"
    FieldsNotWritten fields_not_written "session_fields_not_written_total"
        "fields that were not written"
    BytesWritten bytes_written "session_bytes_written_total"
        "bytes of encoded values that were stored"
    BytesNotWritten bytes_not_written "session_bytes_not_written_total"
        "bytes of encoded values that are stored and were not written again"
    Conflicts conflicts "session_conflicts_total"
        "commits that the store refused, because another came in between"
    Rebases rebases "session_rebases_total"
        "conflicts that were solved by putting the changes on top of the other commit"
    Overlapped fields_overlapped "session_fields_overlapped_total"
        "fields that others had changed too, and that a commit made its own"
    Reruns reruns "session_reruns_total"
        "runs of a closure of `update` that were repeated, because another commit came in between"
    PurgeBatches purge_batches "session_purge_batches_total"
        "batches of purges"
    Purged purged "session_purged_total"
        "records and headers that purges removed, of all session names"
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};

    use metrics::{
        Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, with_local_recorder,
    };

    use super::*;

    /// An exporter that keeps all counters, each by its name and labels.
    #[derive(Default)]
    struct Exporter(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

    impl Exporter {
        fn counted(&self) -> BTreeMap<String, u64> {
            let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            counters.iter().map(|(name, count)| (name.clone(), count.load(Ordering::Relaxed))).collect()
        }
    }

    impl Recorder for Exporter {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let name = format!("{}{{{}}}", key.name(), labels.join(","));
            let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Counter::from_arc(counters.entry(name).or_default().clone())
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn each_figure_is_exported_under_a_name_of_its_own() {
        let program = Exporter::default();
        let counters = Counters::new(&"visitor".into());
        with_local_recorder(&program, || {
            counters.add(Count::Loads, 2);
            counters.add(Count::SameValue, 1);
            counters.add(Count::SameValue, 1);
            counters.add(Count::BytesNotWritten, 70);
        });
        let exported = program.counted();
        assert_eq!(exported.len(), LEN);
        let counted: Vec<_> = exported.iter().filter(|(_, count)| **count > 0).collect();
        assert_eq!(
            counted,
            [
                (&"session_bytes_not_written_total{session=visitor}".to_owned(), &70),
                (&"session_loads_total{session=visitor}".to_owned(), &2),
                (&"session_writes_avoided_total{session=visitor,cause=same value}".to_owned(), &2),
            ]
        );
        let stats = counters.stats();
        assert_eq!((stats.loads, stats.avoided_same_value, stats.bytes_not_written), (2, 2, 70));
    }
}
