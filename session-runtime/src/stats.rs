//! What sessions cost and what they save, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

mod timing;

#[cfg(feature = "metrics")]
pub use timing::STORE_SECONDS_BUCKETS;
pub(crate) use timing::{Operation, Timing};

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

    /// Measures what a store is asked for, until the guard is dropped. Without the feature `metrics` it does nothing.
    #[cfg(feature = "metrics")]
    pub(crate) fn time(&self, operation: Operation) -> Timing<'_> {
        self.exported.begin(operation)
    }

    #[cfg(not(feature = "metrics"))]
    #[inline]
    #[allow(clippy::unused_self, reason = "only exported times are kept")]
    pub(crate) fn time(&self, _: Operation) -> Timing {
        Timing
    }

    fn get(&self, count: Count) -> u64 {
        self.values[count as usize].load(Ordering::Relaxed)
    }
}

/// What a counter counts: all of a metric, unless it says which part.
macro_rules! meaning {
    ($of_all:literal) => {
        $of_all
    };
    ($of_all:literal $of_part:literal) => {
        $of_part
    };
}

macro_rules! counters {
    ($(
        $metric:literal $unit:ident $help:literal
        { $($count:ident $field:ident $(($label:literal, $value:literal) $meaning:literal)?)* }
    )*) => {
        /// What the sessions of one type have cost and saved since the program started.
        ///
        /// With the feature `metrics`, the same is exported as counters through the crate `metrics`, each with the
        /// label `session`, the session's name, and so is what calls to the store take: `session_store_seconds`, a
        /// histogram with the label `operation`. Install the exporter before the first session is loaded: all of it is
        /// registered and described then.
        ///
        /// | field | metric | counts |
        /// |---|---|---|
        $($(#[doc = concat!(
            "| `", stringify!($field), "` | `", $metric, $("{", $label, "=", $value, "}",)? "` | ",
            meaning!($help $($meaning)?), " |"
        )])*)*
        ///
        /// A commit that nothing was sent for has one cause. A field that was changed and changed back counts as
        /// never changed, unless it was seen in between: by [`dirty`](crate::Handle::dirty), or by a commit that
        /// failed. *Not written* is what a commit that wrote the whole session would have sent in addition; commits
        /// of untouched sessions, which look at nothing, are left out of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[doc = meaning!($help $($meaning)?)] #[doc = ""] pub $field: u64,)*)*
        }

        #[derive(Debug, Clone, Copy)]
        pub(crate) enum Count {
            $($($count,)*)*
        }

        const LEN: usize = [$($(Count::$count),*),*].len();

        impl Counters {
            pub(crate) fn stats(&self) -> Stats {
                Stats { $($($field: self.get(Count::$count),)*)* }
            }
        }

        #[cfg(feature = "metrics")]
        mod exported {
            use std::fmt;
            use std::sync::{Arc, OnceLock};

            use metrics::{Counter, Unit, counter, describe_counter};

            use super::timing::{Operation, Timers, Timing};
            use super::{Count, LEN};

            /// What is in the program's exporter, once it is registered.
            pub(super) struct Exported {
                session: Arc<str>,
                registered: OnceLock<Registered>,
            }

            struct Registered {
                counters: [Counter; LEN],
                timers: Timers,
            }

            impl Exported {
                pub(super) fn new(session: Arc<str>) -> Self {
                    Self { session, registered: OnceLock::new() }
                }

                #[inline]
                pub(super) fn add(&self, count: Count, by: u64) {
                    self.registered().counters[count as usize].increment(by);
                }

                pub(super) fn begin(&self, operation: Operation) -> Timing<'_> {
                    self.registered().timers.begin(operation)
                }

                #[inline]
                fn registered(&self) -> &Registered {
                    self.registered.get_or_init(|| self.register())
                }

                #[cold]
                fn register(&self) -> Registered {
                    $(describe_counter!($metric, Unit::$unit, $help);)*
                    Registered {
                        counters: [
                            $($(counter!($metric, "session" => self.session.clone() $(, $label => $value)?),)*)*
                        ],
                        timers: Timers::register(&self.session),
                    }
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
    "session_loads_total" Count "loads" { Loads loads }
    "session_load_failures_total" Count "loads for which the store failed, or whose session could not be read" {
        LoadFailures load_failures
    }
    "session_touches_total" Count "loads of a stored session with a sliding expiry, by whether they moved it" {
        TouchesSent touches_sent ("result", "sent")
            "loads that moved a sliding expiry"
        TouchesSkipped touches_skipped ("result", "skipped")
            "loads of a stored session with a sliding expiry that did not move it, since that was not due"
    }
    "session_commits_total" Count
        "commits that were sent, by what became of the session; destructions and renewals too"
    {
        Created commits_created ("outcome", "created")
            "commits that stored a session that was not stored"
        Updated commits_updated ("outcome", "updated")
            "commits that changed a stored session"
        Removed commits_removed ("outcome", "removed")
            "commits after which the session was no longer stored, destructions included"
        Unchanged commits_unchanged ("outcome", "unchanged")
            "commits that were sent and neither found nor left a stored session"
        Failed commits_failed ("outcome", "failed")
            "commits that ended in an error"
    }
    "session_writes_avoided_total" Count "commits that sent nothing, by why" {
        Unmarked avoided_unmarked ("cause", "unmarked")
            "commits that sent nothing, because no field was borrowed for change"
        Initial avoided_initial ("cause", "initial")
            "commits that sent nothing, because the borrowed fields are not stored and hold their initial values"
        SameValue avoided_same_value ("cause", "same value")
            "commits that sent nothing, because the borrowed fields hold what is stored"
        Reverted avoided_reverted ("cause", "reverted")
            "commits that sent nothing, because what was seen to be changed was changed back"
    }
    "session_fields_written_total" Count "fields that were stored or removed by commits" {
        FieldsWritten fields_written
    }
    "session_fields_not_written_total" Count "fields that were not written" { FieldsNotWritten fields_not_written }
    "session_bytes_written_total" Bytes "bytes of encoded values that were stored" { BytesWritten bytes_written }
    "session_bytes_not_written_total" Bytes
        "bytes of encoded values that are stored and were not written again"
    { BytesNotWritten bytes_not_written }
    "session_conflicts_total" Count "commits that the store refused, because another came in between" {
        Conflicts conflicts
    }
    "session_rebases_total" Count "conflicts that were solved by putting the changes on top of the other commit" {
        Rebases rebases
    }
    "session_fields_overlapped_total" Count
        "fields that others had changed too, and that a commit made its own"
    { Overlapped fields_overlapped }
    "session_reruns_total" Count
        "runs of a closure of `update` that were repeated, because another commit came in between"
    { Reruns reruns }
    "session_purge_batches_total" Count "batches of purges, of all session names" { PurgeBatches purge_batches }
    "session_purged_total" Count "records and headers that purges removed, of all session names" { Purged purged }
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
