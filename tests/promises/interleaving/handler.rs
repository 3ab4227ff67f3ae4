use std::sync::Mutex;

use session_runtime::{Error, Handle, Outcome, Session, merge};

use super::ledger::{KEYS, Ledger};
use super::program::Step;
use super::stopped::{Control, StoppedStore};
use session_tests::Kept;

/// Two fields whose overlapping changes add up, so that each change shows exactly as often as it was applied.
#[derive(Session)]
#[session(name = "tally")]
pub(crate) struct Tally {
    #[session(merge = merge::add)]
    pub(crate) a: i64,
    #[session(merge = merge::add)]
    pub(crate) b: i64,
}

/// One handler at work.
pub(crate) struct Handler<'a> {
    id: usize,
    pub(crate) control: &'a Control,
    sessions: &'a Kept<Tally, StoppedStore>,
    names: &'a [String; KEYS],
    ledger: &'a Mutex<Ledger>,
    session: Option<Handle<Tally>>,
    /// Which of the names the session is at.
    key: usize,
    /// When it was loaded, or moved there.
    loaded: u32,
    /// How many changes it made, each by an amount of its own.
    changes: u32,
    /// What was changed and not sent yet.
    fresh: [i64; 2],
    /// What was sent and not answered, and whether the ledger has it because the store applied it.
    unanswered: Option<([i64; 2], bool)>,
    /// All that this handler changed.
    own: [i64; 2],
    /// When the store last moved the session for this handler.
    moved: u32,
    /// Whether the store destroyed a stored session for this handler.
    destroyed: bool,
    /// What to do again when the answer was lost.
    last: Step,
}

impl<'a> Handler<'a> {
    pub(crate) fn new(
        id: usize,
        control: &'a Control,
        sessions: &'a Kept<Tally, StoppedStore>,
        names: &'a [String; KEYS],
        ledger: &'a Mutex<Ledger>,
    ) -> Self {
        Self {
            id,
            control,
            sessions,
            names,
            ledger,
            session: None,
            key: 0,
            loaded: 0,
            changes: 0,
            fresh: [0; 2],
            unanswered: None,
            own: [0; 2],
            moved: 0,
            destroyed: false,
            last: Step::Load,
        }
    }

    pub(crate) async fn run(mut self, program: &[Step]) -> Self {
        for step in program {
            match step {
                Step::Load => self.load().await,
                Step::ChangeA => self.change(0),
                Step::ChangeB => self.change(1),
                Step::Revert => self.revert(),
                Step::Commit => self.commit(false).await,
                Step::CommitLost => self.commit(true).await,
                Step::Destroy => self.destroy(false).await,
                Step::DestroyLost => self.destroy(true).await,
                Step::Renew => self.renew(false).await,
                Step::RenewLost => self.renew(true).await,
                Step::Retry => match self.last {
                    Step::DestroyLost => self.destroy(false).await,
                    Step::RenewLost => self.renew(false).await,
                    _ => self.commit(false).await,
                },
            }
            self.last = *step;
        }
        self
    }

    /// Asks for an answer that is still missing; whatever was not sent is dropped.
    pub(crate) async fn settle(mut self) {
        if self.unanswered.is_some() {
            self.commit(false).await;
        }
        self.drop_session();
    }

    fn drop_session(&mut self) {
        if let Some(session) = self.session.take() {
            session.discard();
        }
        (self.fresh, self.unanswered, self.own, self.destroyed) = ([0; 2], None, [0; 2], false);
    }

    async fn load(&mut self) {
        self.drop_session();
        let loaded = self.sessions.load(&self.names[0]).await;
        (self.key, self.loaded) = (0, self.tick());
        match loaded {
            Ok(session) => self.session = Some(session),
            Err(error) => self.violate(&error),
        }
    }

    fn change(&mut self, field: usize) {
        // No two amounts, nor twice the same, add up to another one.
        let amount = 1 << (2 * (8 * u32::try_from(self.id).unwrap_or(0) + self.changes));
        self.changes += 1;
        self.add(field, amount);
    }

    fn revert(&mut self) {
        let own = self.own;
        self.add(0, -own[0]);
        self.add(1, -own[1]);
    }

    fn add(&mut self, field: usize, amount: i64) {
        if let Some(session) = &mut self.session {
            let edit = session.edit();
            *(if field == 0 { edit.a() } else { edit.b() }) += amount;
            self.fresh[field] += amount;
            self.own[field] += amount;
        }
    }

    async fn commit(&mut self, lost: bool) {
        let Some(session) = &mut self.session else { return };
        self.control.lose_next(lost);
        let committed = session.commit().await;
        self.control.lose_next(false);
        self.committed(committed.map(drop));
    }

    async fn renew(&mut self, lost: bool) {
        let Some(session) = &mut self.session else { return };
        self.control.lose_next(lost);
        let renewed = session.renew(&self.names[self.id + 1]).await;
        self.control.lose_next(false);
        self.committed(renewed.map(drop));
    }

    async fn destroy(&mut self, lost: bool) {
        let Some(session) = &mut self.session else { return };
        self.control.lose_next(lost);
        let destroyed = session.destroy().await;
        self.control.lose_next(false);
        let (now, seen) = (self.tick(), self.control.take_seen());
        self.follow();
        let (key, loaded) = (self.key, self.loaded);
        if let Some(stored) = seen.destroyed {
            self.ledger().destroyed(now, key, stored);
            self.destroyed |= stored;
        }
        match (destroyed, self.destroyed) {
            (Err(Error::Store(_)), _) => return,
            (Ok(Outcome::Removed), true) => {}
            (Ok(Outcome::Unchanged), false) => self.ledger().was_gone(now, key, loaded),
            (Err(Error::Renewed), false) => self.ledger().lives_on(now, key, loaded),
            (Err(Error::OutcomeUnknown), false) => self.ledger().refused(now, key, loaded),
            (told, stored) => {
                let violation = format!("a handler was told {told:?}, and whether it destroyed the session: {stored}");
                self.ledger().violate(violation);
            }
        }
        self.drop_session();
    }

    /// Goes where the session went, if a renewal was answered.
    fn follow(&mut self) {
        let at = self.session.as_ref().and_then(|session| self.names.iter().position(|name| name == session.key()));
        if let Some(at) = at.filter(|at| *at != self.key) {
            (self.key, self.loaded) = (at, self.moved);
        }
    }

    /// Books what became of a commit or a renewal.
    fn committed(&mut self, result: Result<(), Error>) {
        let (now, seen) = (self.tick(), self.control.take_seen());
        let unanswered = self.unanswered.take();
        if !seen.moved {
            self.follow();
        }
        let (key, loaded) = (self.key, self.loaded);
        match result {
            Ok(()) => {
                if let Some((amounts, false)) = unanswered {
                    self.ledger().added(now, key, loaded, amounts);
                }
                let fresh = std::mem::take(&mut self.fresh);
                self.ledger().added(now, key, loaded, fresh);
            }
            Err(Error::Store(_)) => {
                // Only one change is on its way at a time: the earlier one, or else what was fresh.
                let (amounts, booked) = unanswered.unwrap_or_else(|| (std::mem::take(&mut self.fresh), false));
                if seen.applied && !booked {
                    self.ledger().added(now, key, loaded, amounts);
                }
                self.unanswered = Some((amounts, booked || seen.applied));
            }
            Err(Error::Destroyed | Error::Renewed | Error::Expired) => {
                self.ledger().refused(now, key, loaded);
                self.drop_session();
            }
            Err(Error::Occupied) => {
                if let Some((amounts, false)) = unanswered {
                    self.fresh = [self.fresh[0] + amounts[0], self.fresh[1] + amounts[1]];
                }
            }
            Err(error) => self.violate(&error),
        }
        if seen.moved {
            self.moved = self.tick();
            self.ledger().moved(self.moved, key, self.id + 1);
            self.follow();
        }
    }

    fn tick(&self) -> u32 {
        self.ledger().tick()
    }

    fn violate(&self, error: &Error) {
        self.ledger().violate(format!("a handler failed: {error}"));
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nobody panicked")
    }
}
