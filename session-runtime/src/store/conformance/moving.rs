//! Sessions that another library stored, and that go on here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::fixture::{DAY, Fixture, HOUR, SECOND, are};
use super::visiting::{Logged, Visitor, committing, load, loading};
use crate::error::LegacyError;
use crate::expiry::Timestamp;
use crate::sessions::{Legacy, Old};
use crate::store::Call;
use crate::{Absence, Committed, Error, Expiry, Handle, Outcome, Session as _};

/// A store of another library, which notes what it is asked for.
#[derive(Clone, Default)]
struct OldStore {
    records: Arc<BTreeMap<String, Result<u32, &'static str>>>,
    asked: Arc<Mutex<Vec<String>>>,
    moved: Arc<Mutex<Vec<String>>>,
}

fn take(notes: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut notes.lock().unwrap_or_else(PoisonError::into_inner))
}

fn note(notes: &Mutex<Vec<String>>, key: &str) {
    notes.lock().unwrap_or_else(PoisonError::into_inner).push(key.to_owned());
}

impl OldStore {
    /// It has a visitor with so many visits and likes, or something that cannot be read.
    fn with(id: &str, visits: Result<u32, &'static str>) -> Self {
        Self { records: Arc::new(BTreeMap::from([(id.to_owned(), visits)])), ..Self::default() }
    }

    fn find(&self, key: &str) -> Result<Option<Visitor>, LegacyError> {
        note(&self.asked, key);
        let visitor = |visits| Visitor { visits, likes: visits.into(), theme: "dark".to_owned(), ..Visitor::initial() };
        match self.records.get(key) {
            None => Ok(None),
            Some(Ok(visits)) => Ok(Some(visitor(*visits))),
            Some(Err("gone")) => Err(LegacyError::unavailable("no route")),
            Some(Err(damage)) => Err(LegacyError::damaged(*damage)),
        }
    }

    fn legacy(&self, fixture: &Fixture) -> Legacy<Visitor> {
        self.legacy_with(fixture, Old::new)
    }

    /// Asked for thirty days from where this fixture's clock is.
    fn legacy_with(
        &self,
        fixture: &Fixture,
        old: impl Fn(Visitor) -> Old<Visitor> + Clone + Send + Sync + 'static,
    ) -> Legacy<Visitor> {
        let (store, moved) = (self.clone(), self.moved.clone());
        let until = Timestamp::now(fixture.clock).plus(30 * DAY).into();
        let ask = move |key: String| {
            let (store, old) = (store.clone(), old.clone());
            async move { Ok(store.find(&key)?.map(old)) }
        };
        Legacy::until(until, ask).after(move |key| note(&moved, key))
    }

    /// Instances that ask it. Each call makes one of its own.
    fn visitors(&self, fixture: &Fixture, now: &Fixture) -> Logged<Visitor> {
        let legacy = self.legacy(fixture);
        now.sessions_with(|builder| builder.retention(Duration::from_secs(3600)).legacy(legacy))
    }
}

async fn commit(visitor: &mut Handle<Visitor>) -> Committed<Visitor> {
    visitor.commit().await.expect("a commit")
}

const WHOLE: [(&str, &str); 3] = [("visits", "7"), ("theme", "\"dark\""), ("likes", "7")];

/// The first load asks the old store and the commit stores all of it, though nothing was changed. No other load asks.
pub(super) async fn p11_an_old_session_is_asked_for_once_and_stored_as_a_whole(fixture: Fixture) {
    let id = fixture.id("42");
    let old = OldStore::with(&id, Ok(7));
    let sessions = old.visitors(&fixture, &fixture);
    let mut visitor = load(&sessions, &id).await;
    assert!(visitor.is_new() && visitor.is_moved_in() && visitor.dirty().expect("a look").is_empty());
    assert_eq!((visitor.visits, visitor.absence()), (7, Some(Absence::Never)));
    assert_eq!((take(&old.asked), take(&old.moved)), (vec![id.clone()], vec![]));
    let committed = commit(&mut visitor).await;
    assert_eq!((committed.outcome(), committed.fields().len()), (Outcome::Created, 3));
    assert_eq!(sessions.calls(), [loading(&id), committing(&id, &WHOLE, &[])]);
    assert!(!visitor.is_new() && !visitor.is_moved_in());
    assert_eq!(commit(&mut visitor).await.outcome(), Outcome::Unchanged);

    for sessions in [sessions, old.visitors(&fixture, &fixture)] {
        let mut visitor = load(&sessions, &id).await;
        assert!(!visitor.is_moved_in());
        assert_eq!((visitor.visits, commit(&mut visitor).await.outcome()), (7, Outcome::Unchanged));
        assert_eq!(sessions.calls(), [loading(&id)]);
    }
    assert_eq!((take(&old.asked), take(&old.moved)), (vec![], vec![id.clone()]));

    // A key that the old store does not have, and one after its time.
    let other = fixture.id("other");
    assert!(!load(&old.visitors(&fixture, &fixture), &other).await.is_moved_in());
    assert_eq!(take(&old.asked), std::slice::from_ref(&other));
    assert!(!load(&old.visitors(&fixture, &fixture.after(30 * DAY)), &other).await.is_moved_in());
    assert!(take(&old.asked).is_empty());
}

/// Its first handler finds the old values, and one commit stores them with what that changes.
pub(super) async fn p11_an_old_session_is_stored_with_what_its_first_handler_changed(fixture: Fixture) {
    let (id, back) = (fixture.id("42"), fixture.id("back"));
    let old =
        OldStore { records: Arc::new([id.clone(), back.clone()].map(|id| (id, Ok(7))).into()), ..OldStore::default() };
    let sessions = old.visitors(&fixture, &fixture);
    let change = |visitor: &mut Handle<Visitor>| {
        *visitor.edit().visits() += 1;
        "light".clone_into(visitor.edit().theme());
    };
    sessions.update(&id, change).await.expect("an update");
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "8"), ("likes", "7")]));
    assert_eq!(sessions.calls().len(), 2, "one load and one commit");

    // Where nothing is left of it, it is emptied as any session is, and does not come back.
    sessions.update(&back, |visitor| *visitor.edit_all() = Visitor::initial()).await.expect("an update");
    assert_eq!((take(&old.asked), take(&old.moved)), (vec![id.clone(), back.clone()], vec![id, back.clone()]));
    for later in [0, 29 * DAY] {
        let emptied = load(&old.visitors(&fixture, &fixture.after(later)), &back).await;
        assert_eq!((emptied.visits, emptied.absence()), (0, Some(Absence::Emptied)));
        assert!(take(&old.asked).is_empty(), "it is not asked for again");
    }
}

/// A first handler that renews it stores it at the new key, and the old key is dead.
pub(super) async fn p11_an_old_session_moves_on_to_another_key(fixture: Fixture) {
    let (from, to) = (fixture.id("from"), fixture.id("to"));
    let old = OldStore::with(&from, Ok(7));
    let sessions = old.visitors(&fixture, &fixture);
    load(&sessions, &from).await.renew(&to).await.expect("a renewal");
    assert_eq!(fixture.stored(&to).await, are(&WHOLE));
    assert_eq!((take(&old.asked), take(&old.moved)), (vec![from.clone()], vec![from.clone()]));
    let later = old.visitors(&fixture, &fixture.after(29 * DAY));
    assert_eq!(load(&later, &from).await.absence(), Some(Absence::Renewed));
    assert!(take(&old.asked).is_empty());
}

/// It ends when the old library would have ended it, if that was said; one that has ended is not taken over.
pub(super) async fn p11_an_old_session_keeps_its_end(fixture: Fixture) {
    let (id, over) = (fixture.id("42"), fixture.id("over"));
    let end: SystemTime = Timestamp::now(fixture.clock).plus(HOUR).into();
    let old =
        OldStore { records: Arc::new([id.clone(), over.clone()].map(|id| (id, Ok(7))).into()), ..OldStore::default() };
    let legacy = old.legacy_with(&fixture, move |visitor| Old::new(visitor).expire_at(end));
    let sessions = fixture.sessions_with(|builder| builder.legacy(legacy.clone()));
    commit(&mut load(&sessions, &id).await).await;
    assert_eq!(load(&sessions, &id).await.expires_at().map(Timestamp::from), Some(Timestamp::from(end)));
    let later = fixture.after(HOUR).sessions_with(|builder| builder.legacy(legacy));
    assert_eq!(load(&later, &id).await.absence(), Some(Absence::Expired));
    assert!(!load(&later, &over).await.is_moved_in());

    // Or so long after its last use.
    let legacy = old.legacy_with(&fixture, |visitor| Old::new(visitor).expire_after(Duration::from_secs(3600)));
    let visitors = |now: &Fixture| now.sessions_with(|builder| builder.legacy(legacy.clone()));
    commit(&mut load(&visitors(&fixture), &over).await).await;
    assert!(!load(&visitors(&fixture.after(HOUR / 2)), &over).await.is_new());
    assert!(!load(&visitors(&fixture.after(HOUR * 5 / 4)), &over).await.is_new());
    assert_eq!(load(&visitors(&fixture.after(HOUR * 5 / 2)), &over).await.absence(), Some(Absence::Expired));
}

/// An old session that is at the initial values is nothing to store.
pub(super) async fn p01_an_old_session_without_differences_is_not_stored(fixture: Fixture) {
    let id = fixture.id("42");
    let legacy = OldStore::with(&id, Ok(7)).legacy_with(&fixture, |_| Old::new(Visitor::initial()));
    let sessions = fixture.sessions_with(|builder| builder.legacy(legacy));
    let mut visitor = load(&sessions, &id).await;
    assert!(!visitor.is_moved_in());
    assert_eq!(commit(&mut visitor).await.outcome(), Outcome::Unchanged);
    assert_eq!(sessions.calls(), [loading(&id)]);
}

/// Two instances ask at the same time. The second one finds it stored, and goes on with that.
pub(super) async fn p05_an_old_session_that_two_take_over_at_once_is_stored_once(fixture: Fixture) {
    let id = fixture.id("42");
    let old = OldStore::with(&id, Ok(7));
    let (one, other) = (old.visitors(&fixture, &fixture), old.visitors(&fixture, &fixture));
    let (mut first, mut second) = (load(&one, &id).await, load(&other, &id).await);
    assert_eq!(take(&old.asked), [id.clone(), id.clone()]);
    first.edit().cart().push("tea".to_owned());
    assert_eq!(commit(&mut first).await.outcome(), Outcome::Created);
    let committed = commit(&mut second).await;
    assert_eq!((committed.outcome(), committed.overlapped().len()), (Outcome::Unchanged, 0));
    assert_eq!(second.cart, ["tea"]);
    assert_eq!(other.calls(), [loading(&id), committing(&id, &WHOLE, &[])], "it conflicts, and nothing is sent again");
    assert_eq!(take(&old.moved), [id]);
}

/// What both add to an old counter is added to it once each.
pub(super) async fn p05_what_two_change_in_an_old_session_is_merged(fixture: Fixture) {
    let id = fixture.id("42");
    let old = OldStore::with(&id, Ok(7));
    let (one, other) = (old.visitors(&fixture, &fixture), old.visitors(&fixture, &fixture));
    let (mut first, mut second) = (load(&one, &id).await, load(&other, &id).await);
    *first.edit().likes() += 1;
    *second.edit().likes() += 1;
    assert_eq!(commit(&mut first).await.outcome(), Outcome::Created);
    assert_eq!(commit(&mut second).await.outcome(), Outcome::Updated);
    assert_eq!(load(&one, &id).await.likes, 9);
}

/// Whatever ended it, for as long as the old store is asked.
pub(super) async fn p06_an_old_session_that_ended_here_does_not_come_back(fixture: Fixture) {
    let ids = ["destroyed", "by key", "emptied", "renewed", "expired"].map(|id| fixture.id(id));
    let old = OldStore { records: Arc::new(ids.clone().map(|id| (id, Ok(7))).into()), ..OldStore::default() };
    let rule = Expiry::AfterInactivity(Duration::from_secs(60));
    let visitors = |now: &Fixture| {
        let legacy = old.legacy(&fixture);
        now.sessions_with(|builder| builder.retention(Duration::from_secs(3600)).expiry(rule).legacy(legacy))
    };
    let sessions = visitors(&fixture);
    for id in &ids {
        commit(&mut load(&sessions, id).await).await;
    }
    let [destroyed, by_key, emptied, renewed, _] = &ids;
    load(&sessions, destroyed).await.destroy().await.expect("an end");
    sessions.destroy(by_key).await.expect("an end");
    sessions.update(emptied, |visitor| *visitor.edit_all() = Visitor::initial()).await.expect("a change");
    load(&sessions, renewed).await.renew(&fixture.id("elsewhere")).await.expect("a renewal");
    take(&old.asked);
    for later in [SECOND, 2 * HOUR, 29 * DAY] {
        for id in &ids {
            let later = visitors(&fixture.after(61 * SECOND).after(later));
            let mut visitor = load(&later, id).await;
            assert_eq!((visitor.visits, commit(&mut visitor).await.outcome()), (0, Outcome::Unchanged), "{id}");
        }
    }
    // Nor does what ended in a life that came after it.
    let again = visitors(&fixture.after(2 * HOUR));
    again.update(destroyed, |visitor| *visitor.edit().visits() = 1).await.expect("a new session");
    again.destroy(destroyed).await.expect("an end");
    assert!(load(&visitors(&fixture.after(29 * DAY)), destroyed).await.is_new());
    assert!(take(&old.asked).is_empty(), "the old store is not even asked");
}

/// Nothing of it is left to store, but a trace that it was here.
pub(super) async fn p06_an_old_session_that_its_first_handler_empties_does_not_come_back(fixture: Fixture) {
    let id = fixture.id("42");
    let old = OldStore::with(&id, Ok(7));
    let sessions = old.visitors(&fixture, &fixture);
    let mut visitor = load(&sessions, &id).await;
    *visitor.edit_all() = Visitor::initial();
    commit(&mut visitor).await;
    take(&old.asked);
    for later in [SECOND, 29 * DAY] {
        assert_eq!(load(&old.visitors(&fixture, &fixture.after(later)), &id).await.visits, 0);
    }
    assert!(take(&old.asked).is_empty(), "the old store is not even asked");
}

/// A logout of somebody whose session was not loaded since the move leaves a trace.
pub(super) async fn p06_an_old_session_that_was_never_loaded_can_be_ended(fixture: Fixture) {
    let (by_key, by_handle, unknown) = (fixture.id("by key"), fixture.id("by handle"), fixture.id("unknown"));
    let records = [by_key.clone(), by_handle.clone()].map(|id| (id, Ok(7))).into();
    let old = OldStore { records: Arc::new(records), ..OldStore::default() };
    let sessions = old.visitors(&fixture, &fixture);
    assert_eq!(sessions.destroy(&by_key).await.expect("an end"), Outcome::Removed);
    assert_eq!(sessions.destroy(&by_key).await.expect("an end"), Outcome::Unchanged);
    let mut visitor = load(&sessions, &by_handle).await;
    *visitor.edit().visits() += 1;
    assert_eq!(visitor.destroy().await.expect("an end"), Outcome::Removed);
    assert_eq!(sessions.destroy(&unknown).await.expect("nothing to end"), Outcome::Unchanged);
    take(&old.asked);
    let later = old.visitors(&fixture, &fixture.after(29 * DAY));
    for id in [&by_key, &by_handle] {
        assert_eq!(load(&later, id).await.absence(), Some(Absence::Destroyed));
    }
    assert!(take(&old.asked).is_empty());
}

/// No session begins in its place, unless that is wished.
pub(super) async fn p07_an_old_session_that_cannot_be_read_is_an_error(fixture: Fixture) {
    let id = fixture.id("42");
    for (damage, is_transient) in [("gone", true), ("no JSON", false)] {
        let old = OldStore::with(&id, Err(damage));
        let sessions = old.visitors(&fixture, &fixture);
        let error = sessions.load(&id).await.expect_err("it cannot be read");
        assert!(matches!(error, Error::Legacy { .. }) && error.is_transient() == is_transient, "{error:?}");
        assert!(!format!("{error} {error:?}").contains(&id), "it shows no key");
        assert!(sessions.update(&id, |_| ()).await.is_err() && sessions.destroy(&id).await.is_err());
        assert!(sessions.calls().iter().all(|call| matches!(call, Call::Load { .. })), "nothing is written");

        let skipping = old.legacy(&fixture).skip_damaged();
        let skipping = fixture.sessions_with(|builder| builder.legacy(skipping));
        assert_eq!(skipping.load(&id).await.is_ok(), !is_transient);
    }
}
