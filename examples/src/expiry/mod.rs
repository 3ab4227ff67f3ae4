//! Replays traffic at the time at which it happened, with sessions that end after some time without use, and looks
//! whether each lived as long as the rule promises.
//!
//! A load counts as activity, but moves the expiry only when a share of the time to live has passed: a session may
//! end earlier by that share, and no earlier. The same traffic is replayed with a share of a tenth and of nothing.

use std::time::{Duration, SystemTime};

use session_runtime::store::{CommitId, Store};
use session_runtime::{Error, Expiry, Sessions, Stats};

use crate::replay::log::Traffic;
use crate::replay::rule::Effect;
use crate::replay::visitor::{Visitor, handle};

mod report;
mod store;

pub use report::Report;
pub use store::{Loads, TimedStore};

/// How far requests of the same second are put apart, in milliseconds, so that each finds a later time than the one
/// before, also on a machine that is busy for a moment.
const APART: i64 = 20;

/// What a replay showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Findings {
    /// What loads did.
    pub loads: Loads,
    /// What the sessions counted themselves.
    pub stats: Stats,
    /// How many stored sessions had ended when their client came back.
    pub ended: u64,
    /// The shortest time without use after which a session had ended, in milliseconds.
    pub shortest_end: Option<i64>,
    /// The longest time without use that a session survived, in milliseconds.
    pub longest_life: i64,
    /// How many sessions ended earlier than the rule allows, or were to, also if nobody came back. None must.
    pub early: u64,
    /// How many sessions lived longer than the rule allows. None must.
    pub late: u64,
    /// How many sessions ended at another time than `expires_at` had told. None must.
    pub broken_words: u64,
}

/// What is known of a stored session from its last use.
#[derive(Debug, Clone, Copy)]
struct Use {
    at: i64,
    /// When it was to end if it was not used again.
    ends: i64,
}

/// Replays traffic, in the order of its times.
///
/// # Errors
/// When a session cannot be loaded or committed.
pub async fn play<S: Store>(traffic: &Traffic, store: S, ttl: Duration, share: f64) -> Result<Findings, Error> {
    let store = TimedStore::new(store);
    let sessions =
        Sessions::<Visitor>::builder(store.clone()).expiry(Expiry::AfterInactivity(ttl)).touch_share(share).build();
    let ttl = millis(ttl);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share is at most 1")]
    let guaranteed = ttl - (ttl as f64 * share) as i64;

    let run = CommitId::random().0;
    let mut uses: Vec<Option<Use>> = vec![None; traffic.clients.len()];
    let mut findings = Findings::default();
    let mut order: Vec<_> = traffic.requests.iter().filter(|request| Effect::of(request).uses()).collect();
    order.sort_by_key(|request| request.at);
    let mut now = i64::MIN;
    for request in order {
        now = request.at.saturating_mul(1000).max(now.saturating_add(APART));
        store.set_time(now);
        let mut visitor = sessions.load(&format!("{run:016x}/{}", request.client)).await?;
        let Some(last) = uses.get_mut(request.client) else { continue };
        if let Some(last) = last {
            findings.look(*last, now, !visitor.is_new(), guaranteed..ttl);
        }
        handle(&mut visitor, Effect::of(request), request.at);
        visitor.commit().await?;
        let ends = visitor.expires_at().map_or(i64::MAX, since_epoch);
        *last = (!visitor.is_new()).then_some(Use { at: now, ends });
        findings.early += u64::from(last.is_some() && ends - now < guaranteed);
    }
    Ok(Findings { loads: store.loads(), stats: sessions.stats(), ..findings })
}

impl Findings {
    /// Looks at a session that was stored at its last use. It may end after any idle time in `allowed`, and must by
    /// its end.
    fn look(&mut self, last: Use, now: i64, lives: bool, allowed: std::ops::Range<i64>) {
        let idle = now - last.at;
        if lives {
            self.longest_life = self.longest_life.max(idle);
            self.late += u64::from(idle >= allowed.end + APART);
        } else {
            self.ended += 1;
            self.shortest_end = Some(self.shortest_end.map_or(idle, |shortest| shortest.min(idle)));
            self.early += u64::from(idle < allowed.start);
        }
        // What the store's clock does while a request is handled is no matter of the rule.
        let in_doubt = (last.ends - now).abs() < APART;
        self.broken_words += u64::from(!in_doubt && lives != (now < last.ends));
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn since_epoch(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use session_runtime::MemoryStore;

    use super::*;

    const TTL: Duration = Duration::from_secs(1800);

    /// Pages shown to one client, at these minutes.
    fn minutes(minutes: &[i64]) -> Traffic {
        let mut traffic = Traffic::default();
        for minute in minutes {
            traffic.push(minute * 60, "1".to_owned(), "GET".to_owned(), "/a.html".to_owned(), Some(404));
        }
        // Only what changes a session stores it.
        traffic.requests[0].status = Some(200);
        traffic
    }

    #[tokio::test]
    async fn a_renewal_is_sent_when_a_share_of_the_time_has_passed() {
        let traffic = minutes(&[0, 1, 2, 3, 4, 5, 6]);
        let by_a_tenth = play(&traffic, MemoryStore::new(), TTL, 0.1).await.expect("a replay");
        let always = play(&traffic, MemoryStore::new(), TTL, 0.0).await.expect("a replay");
        assert_eq!(by_a_tenth.loads, Loads { all: 7, known: 6, touched: 2 });
        assert_eq!(always.loads, Loads { all: 7, known: 6, touched: 6 });
    }

    #[tokio::test]
    async fn a_session_ends_by_the_rule_and_no_earlier_than_its_share_allows() {
        // Not touched after two minutes, so it ends 28 minutes later.
        let traffic = minutes(&[0, 2, 31]);
        let by_a_tenth = play(&traffic, MemoryStore::new(), TTL, 0.1).await.expect("a replay");
        let always = play(&traffic, MemoryStore::new(), TTL, 0.0).await.expect("a replay");
        assert_eq!((by_a_tenth.ended, by_a_tenth.shortest_end), (1, Some(29 * 60_000)));
        assert_eq!((always.ended, always.longest_life), (0, 29 * 60_000));
        for findings in [by_a_tenth, always] {
            assert_eq!((findings.early, findings.late, findings.broken_words), (0, 0, 0));
        }
    }

    #[test]
    fn what_breaks_the_rule_is_found() {
        let allowed = 1_620_000..1_800_000;
        let last = Use { at: 0, ends: 1_700_000 };
        let look = |now, lives| {
            let mut findings = Findings::default();
            findings.look(last, now, lives, allowed.clone());
            (findings.early, findings.late, findings.broken_words)
        };
        assert_eq!(look(1_619_999, false), (1, 0, 1));
        assert_eq!(look(1_620_000, false), (0, 0, 1), "allowed, but it was told otherwise");
        assert_eq!(look(1_750_000, false), (0, 0, 0));
        assert_eq!(look(1_750_000, true), (0, 0, 1));
        assert_eq!(look(1_900_000, true), (0, 1, 1));
    }
}
