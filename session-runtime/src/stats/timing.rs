//! What calls to a store take, for the program's exporter.

#[cfg(feature = "metrics")]
use std::sync::Arc;
#[cfg(feature = "metrics")]
use std::time::Instant;

#[cfg(feature = "metrics")]
use metrics::{Histogram, Unit, describe_histogram, histogram};

/// Upper limits of buckets for `session_store_seconds`, in seconds: from a memory or a file beside the program to an
/// engine in trouble. Give them to the exporter, which without any makes a summary.
#[cfg(feature = "metrics")]
pub const STORE_SECONDS_BUCKETS: [f64; 18] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
    0.5, 1.0, 2.5, 10.0,
];

/// What a store is asked for, for a request of somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    Load,
    Commit,
    Destroy,
    Find,
}

/// Measures until it is dropped, also when whoever waited for the store does not wait any longer.
#[cfg(feature = "metrics")]
pub(crate) struct Timing<'a> {
    timers: &'a Timers,
    operation: Operation,
    began: Instant,
}

/// Measures nothing.
#[cfg(not(feature = "metrics"))]
pub(crate) struct Timing;

#[cfg(feature = "metrics")]
impl Drop for Timing<'_> {
    fn drop(&mut self) {
        self.timers.0[self.operation as usize].record(self.began.elapsed());
    }
}

/// The histograms in the program's exporter, in the order of [`Operation`].
#[cfg(feature = "metrics")]
pub(super) struct Timers([Histogram; 4]);

#[cfg(feature = "metrics")]
impl Timers {
    pub(super) fn register(session: &Arc<str>) -> Self {
        const METRIC: &str = "session_store_seconds";
        describe_histogram!(METRIC, Unit::Seconds, "seconds that calls to the store took, failed ones too");
        let of = |operation: &'static str| histogram!(METRIC, "session" => session.clone(), "operation" => operation);
        Self(["load", "commit", "destroy", "find"].map(of))
    }

    pub(super) fn begin(&self, operation: Operation) -> Timing<'_> {
        Timing { timers: self, operation, began: Instant::now() }
    }
}
