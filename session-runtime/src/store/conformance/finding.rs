//! Sessions that are found by the value of an indexed field.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{Draft, Fixture, MINUTE, applied, are, conflict, fields, head};
use super::visiting::load;
use crate::store::{Commit, Find, FoundPage, Head, IndexEntry, Key, KeyHash, Store, Term};
use crate::{Error, Outcome, Session};

/// A commit that also says by what the session is found.
pub(super) trait Indexing: Draft {
    /// Sets an indexed field.
    fn set_indexed(self, name: &str, value: &[u8]) -> Self {
        self.set(name, value).indexed(name, value)
    }

    /// Names the term of a field.
    fn indexed(self, name: &str, value: &[u8]) -> Self {
        self.edit(|write| write.index.push(IndexEntry { field: name.into(), term: Term::of(value) }))
    }
}

impl Indexing for Commit {}

impl Fixture {
    fn find(&self, field: &str, value: &[u8]) -> Find {
        Find::all(self.name.clone(), field.into(), value.into(), Term::of(value), self.clock)
    }

    async fn asked(&self, find: &Find) -> FoundPage {
        self.store.find(find).await.expect("a store can be asked")
    }

    /// The ids of the sessions with a value, sorted.
    pub(super) async fn found(&self, field: &str, value: &[u8]) -> Vec<String> {
        let page = self.asked(&self.find(field, value)).await;
        assert_eq!(page.next, None, "all were asked for");
        let mut ids: Vec<_> = page.sessions.iter().map(|(key, _)| key.id().to_owned()).collect();
        ids.sort();
        ids
    }

    /// Stores a session with this user where nothing was.
    async fn log_in(&self, id: &str, user: &str) -> (Key, Head) {
        let key = self.key(id);
        let commit = self.creation(None).set_indexed("user", user.as_bytes()).set("visits", "1");
        let head = head(applied(self.commit(&key, &commit).await));
        (key, head)
    }
}

/// Sessions are found by a value, with their headers, by all who ask for that value in that field of that name.
pub(super) async fn p01_a_session_is_found_by_an_indexed_value(fixture: Fixture) {
    let (phone, head) = fixture.log_in("phone", "7").await;
    fixture.log_in("laptop", "7").await;
    fixture.log_in("other", "8").await;
    fixture.named(format!("{}-b", fixture.name)).agree(1, super::fixture::REGISTRATION).await;
    fixture.named(format!("{}-b", fixture.name)).log_in("elsewhere", "7").await;
    assert_eq!(fixture.found("user", b"7").await, ["laptop", "phone"]);
    assert_eq!(fixture.found("user", b"8").await, ["other"]);
    for (field, value) in [("user", &b"9"[..]), ("user", b""), ("visits", b"7"), ("use", b"7")] {
        assert_eq!(fixture.found(field, value).await, [""; 0], "{field}");
    }
    let page = fixture.asked(&fixture.find("user", b"7")).await;
    assert!(page.sessions.contains(&(phone, head)), "with its header: {page:?}");
    assert!(page.now >= head.created_at);
}

/// Pages have all sessions with a value, whatever their size.
pub(super) async fn p01_all_sessions_with_a_value_are_found_in_pages(fixture: Fixture) {
    let mut ids: Vec<String> = (0..150).map(|n| format!("device {n}")).collect();
    for id in &ids {
        fixture.log_in(id, "7").await;
    }
    ids.sort();
    for limit in [40, 150, 151, 1_000] {
        let mut find = Find { limit: Some(limit), ..fixture.find("user", b"7") };
        let mut found = Vec::new();
        loop {
            let page = fixture.asked(&find).await;
            found.extend(page.sessions.into_iter().map(|(key, _)| key.id().to_owned()));
            find.after = page.next;
            if find.after.is_none() {
                break;
            }
        }
        found.sort();
        found.dedup();
        assert_eq!(found, ids, "in pages of {limit}");
    }
}

/// Values are any bytes of any length.
pub(super) async fn p13_sessions_are_found_by_any_value(fixture: Fixture) {
    let long = [b'x'; 300];
    let values = [&b""[..], b"\0", b"#7", b"\xff\xfe", b"{\"a\":[1]}", "ü:%7B}".as_bytes(), &long, &long[..299]];
    for (place, value) in values.into_iter().enumerate() {
        let commit = fixture.creation(None).set_indexed("u:{s}er", value);
        applied(fixture.commit(&fixture.key(&format!("{{k}}:{place}")), &commit).await);
    }
    for (place, value) in values.into_iter().enumerate() {
        assert_eq!(fixture.found("u:{s}er", value).await, [format!("{{k}}:{place}")], "{place}");
    }
}

/// A session is found by what it holds now.
pub(super) async fn p01_a_session_is_not_found_by_a_value_that_it_had(fixture: Fixture) {
    let (key, first) = fixture.log_in("42", "7").await;
    let other = fixture.change(&first).set_indexed("user", b"8");
    let second = head(applied(fixture.commit(&key, &other).await));
    assert_eq!(fixture.found("user", b"7").await, [""; 0]);
    assert_eq!(fixture.found("user", b"8").await, ["42"]);

    let visits = head(applied(fixture.commit(&key, &fixture.change(&second).set("visits", "2")).await));
    assert_eq!(fixture.found("user", b"8").await, ["42"], "another field is another matter");

    let several = fixture.change(&visits).set_indexed("user", b"9").unset("visits");
    let several = head(applied(fixture.commit(&key, &several).await));
    assert_eq!(fixture.found("user", b"8").await, [""; 0]);
    assert_eq!(fixture.found("user", b"9").await, ["42"], "with a field that goes");
    let again = fixture.change(&several).set_indexed("user", b"8").set("visits", "2").unset("absent");
    let visits = head(applied(fixture.commit(&key, &again).await));
    assert_eq!(fixture.found("user", b"9").await, [""; 0]);
    assert_eq!(fixture.found("user", b"8").await, ["42"]);

    let removed = head(applied(fixture.commit(&key, &fixture.change(&visits).unset("user")).await));
    assert_eq!(fixture.found("user", b"8").await, [""; 0]);

    let back = fixture.change(&removed).set_indexed("user", b"7");
    let back = head(applied(fixture.commit(&key, &back).await));
    assert_eq!(fixture.found("user", b"7").await, ["42"]);

    let replaced = fixture.change(&back).replace().set("visits", "3");
    let replaced = head(applied(fixture.commit(&key, &replaced).await));
    assert_eq!(fixture.found("user", b"7").await, [""; 0], "it was replaced by a session without");

    let both = fixture.change(&replaced).set_indexed("user", b"7").set_indexed("shop", b"x");
    let both = head(applied(fixture.commit(&key, &both).await));
    assert_eq!((fixture.found("user", b"7").await.len(), fixture.found("shop", b"x").await.len()), (1, 1));
    let both = head(applied(fixture.commit(&key, &fixture.change(&both).set_indexed("user", b"8")).await));
    assert_eq!((fixture.found("user", b"8").await.len(), fixture.found("shop", b"x").await.len()), (1, 1));
    applied(fixture.commit(&key, &fixture.change(&both).unset("user").unset("shop").unset("visits")).await);
    assert_eq!(fixture.found("user", b"8").await, [""; 0], "it is emptied");
    assert_eq!(fixture.found("shop", b"x").await, [""; 0], "it is emptied");
}

/// What a commit that was refused would have stored is not found.
pub(super) async fn p05_a_refused_commit_is_not_found(fixture: Fixture) {
    let (key, first) = fixture.log_in("42", "7").await;
    let second = fixture.change(&first).set("visits", "2");
    applied(fixture.commit(&key, &second).await);
    conflict(fixture.commit(&key, &fixture.change(&first).set_indexed("user", b"8")).await);
    assert_eq!(fixture.found("user", b"8").await, [""; 0]);
    assert_eq!(fixture.found("user", b"7").await, ["42"]);
}

/// A program that does not know of the index leaves no wrong term behind.
pub(super) async fn p05_a_value_of_a_program_without_the_index_is_no_other_value(fixture: Fixture) {
    for fields in [&["user"][..], &["user", "visits"]] {
        let (key, first) = fixture.log_in(&format!("{fields:?}"), "7").await;
        let older = fields.iter().fold(fixture.change(&first), |commit, field| commit.set(field, "8"));
        let second = head(applied(fixture.commit(&key, &older).await));
        assert_eq!(fixture.found("user", b"7").await, [""; 0]);

        // Told of the value that is stored, the store finds it.
        let built = fixture.change(&second).set_indexed("user", b"8");
        let built = head(applied(fixture.commit(&key, &built).await));
        assert_eq!(fixture.found("user", b"8").await, [key.id()]);
        fixture.destroy(&key, &built).await;
    }
}

/// Destroyed and expired sessions are not found, and the next life of a key has nothing of the one before.
pub(super) async fn p06_an_ended_session_is_not_found(fixture: Fixture) {
    let (key, first) = fixture.log_in("destroyed", "7").await;
    fixture.destroy(&key, &first).await;
    assert_eq!(fixture.found("user", b"7").await, [""; 0]);
    let next = fixture.creation(Some(first.incarnation)).set("visits", "1");
    let next = head(applied(fixture.commit(&key, &next).await));
    assert_eq!(fixture.found("user", b"7").await, [""; 0]);
    fixture.destroy(&key, &next).await;

    let fixture = fixture.idle_for(30 * MINUTE);
    let (key, idle) = fixture.log_in("idle", "7").await;
    assert_eq!(fixture.found("user", b"7").await, ["idle"]);
    let later = fixture.after(31 * MINUTE);
    assert_eq!(later.found("user", b"7").await, [""; 0]);
    let next = later.creation(Some(idle.incarnation)).set("visits", "1");
    applied(later.commit(&key, &next).await);
    assert_eq!(later.found("user", b"7").await, [""; 0], "that is another session");
}

/// A renewed session is found at its new key, by all that it is found by, and at no other.
pub(super) async fn p06_a_renewed_session_is_found_at_its_new_key(fixture: Fixture) {
    let (key, first) = fixture.log_in("old", "7").await;
    let to = fixture.key("new");
    let renewal = fixture.change(&first).renew(&to).set_indexed("shop", b"x").indexed("user", b"7");
    let second = head(applied(fixture.commit(&key, &renewal).await));
    assert_eq!(fixture.found("user", b"7").await, ["new"]);
    assert_eq!(fixture.found("shop", b"x").await, ["new"]);

    // Back to where it was, with another user.
    let renewal = fixture.change(&second).renew(&key).set_indexed("user", b"8").indexed("shop", b"x");
    applied(fixture.commit(&to, &renewal).await);
    assert_eq!(fixture.found("user", b"7").await, [""; 0]);
    assert_eq!(fixture.found("user", b"8").await, ["old"]);
    assert_eq!(fixture.found("shop", b"x").await, ["old"]);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("user", "8"), ("shop", "x"), ("visits", "1")]));

    // What was stored without the index is found by what a renewal names.
    let old = fixture.key("stored before");
    let stored = fixture.create(&old, &[("user", "9")]).await;
    let moved = fixture.commit(&old, &fixture.change(&stored).renew(&to).indexed("user", b"9")).await;
    assert_eq!(fixture.found("user", b"9").await, ["new"]);
    fixture.destroy(&to, &head(applied(moved))).await;

    // Also by one that changes something else.
    let old = fixture.key("stored before as well");
    let stored = fixture.create(&old, &[("user", "9"), ("visits", "1")]).await;
    let renewal = fixture.change(&stored).renew(&to).set("visits", "2").indexed("user", b"9");
    applied(fixture.commit(&old, &renewal).await);
    assert_eq!(fixture.found("user", b"9").await, ["new"]);
}

/// A session that moves onto the place of an ended one is not found by what that was found by.
pub(super) async fn p06_a_session_that_moved_is_not_found_by_the_one_before(fixture: Fixture) {
    let (there, ended) = fixture.log_in("there", "8").await;
    fixture.destroy(&there, &ended).await;
    let (key, first) = fixture.log_in("here", "7").await;
    applied(fixture.commit(&key, &fixture.change(&first).renew(&there).indexed("user", b"7")).await);
    assert_eq!(fixture.found("user", b"8").await, [""; 0]);
    assert_eq!(fixture.found("user", b"7").await, ["there"]);
}

/// A commit that is sent twice is found once.
pub(super) async fn p07_a_repeated_commit_is_found_once(fixture: Fixture) {
    let key = fixture.key("42");
    let creation = fixture.creation(None).set_indexed("user", b"7");
    let first = head(applied(fixture.commit(&key, &creation).await));
    assert!(applied(fixture.commit(&key, &creation).await).repeated);
    let change = fixture.change(&first).set_indexed("user", b"8");
    applied(fixture.commit(&key, &change).await);
    assert!(applied(fixture.commit(&key, &change).await).repeated);
    assert_eq!(fixture.found("user", b"7").await, [""; 0]);
    assert_eq!(fixture.found("user", b"8").await, ["42"]);
}

#[derive(Session)]
#[session(crate = crate, name = "conformance-member")]
struct Member {
    #[session(index)]
    user: Option<String>,
    visits: u32,
    /// Whether it was logged in before somebody began to log out everywhere.
    early: bool,
}

/// Sessions follow their user: at a login, a change, a renewal and a logout.
pub(super) async fn p06_a_user_is_found_in_all_sessions(fixture: Fixture) {
    let sessions = fixture.sessions::<Member>();
    let user = Some(format!("{} user", fixture.name));
    let found = async || {
        let mut found = sessions.find(MemberIndex::User(&user));
        let mut keys = Vec::new();
        while let Some(session) = found.next().await {
            keys.push(session.expect("a search").key().to_owned());
        }
        keys.sort();
        keys
    };
    let [phone, laptop, renewed] = ["phone", "laptop", "renewed"].map(|id| fixture.id(id));
    for key in [&phone, &laptop] {
        sessions.update(key, |member| member.edit().user().clone_from(&user)).await.expect("a login");
    }
    let mut both = [phone.clone(), laptop.clone()];
    both.sort();
    assert_eq!(found().await, both);
    assert_eq!(sessions.count_found(MemberIndex::User(&user)).await.expect("a count"), 2);
    assert_eq!(sessions.count_found(MemberIndex::User(&None)).await.expect("a count"), 0, "the initial value");

    let mut session = load(&sessions, &laptop).await;
    *session.edit().visits() = 3;
    session.renew(&renewed).await.expect("a renewal");
    sessions.update(&phone, |member| *member.edit().user() = None).await.expect("a logout");
    assert_eq!(found().await, std::slice::from_ref(&renewed));

    let listed = sessions.list_found(MemberIndex::User(&user)).await.expect("a listing");
    let [(device, member)] = &listed[..] else { panic!("one is left: {listed:?}", listed = listed.len()) };
    assert_eq!((device.key(), member.visits, device.expires_at()), (&*renewed, 3, None));

    assert_eq!(sessions.destroy_found(MemberIndex::User(&user)).await.expect("an end"), 1);
    assert_eq!(sessions.destroy_found(MemberIndex::User(&user)).await.expect("an end"), 0);
    assert!(matches!(session.destroy().await, Ok(Outcome::Unchanged)), "it has ended");
    assert_eq!(found().await, [""; 0]);
}

/// While tasks log in, change and renew, whoever was logged in when "log out everywhere" began is logged out when it
/// ends, and stays so.
pub(super) async fn p06_log_out_everywhere_ends_all_that_was_found(fixture: Fixture) {
    const TASKS: usize = 32;
    let user = Arc::new(Some(format!("{} user", fixture.name)));
    let (all_in, over) = (Arc::new(Barrier::new(TASKS + 1)), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        // Those of every task share nothing but the store, like processes.
        let (sessions, id) = (fixture.sessions::<Member>(), fixture.id(&format!("task {task}")));
        let (user, all_in, over) = (user.clone(), all_in.clone(), over.clone());
        tasks.spawn(async move {
            let (mut number, mut keys) = (0, Vec::new());
            let mut is_early = true;
            while is_early || !over.load(Ordering::Acquire) {
                number += 1;
                let key = format!("{id} {number}");
                let login = |member: &mut crate::Handle<Member>| {
                    member.edit().user().clone_from(&user);
                    *member.edit().early() = is_early;
                };
                sessions.update(&key, login).await.expect("a login");
                keys.push(key.clone());
                if std::mem::take(&mut is_early) {
                    all_in.wait().await;
                }
                // Until somebody ends it.
                let mut session = load(&sessions, &key).await;
                for step in 1..200 {
                    *session.edit().visits() += 1;
                    let done = if step % 3 == 0 {
                        number += 1;
                        keys.push(format!("{id} {number}"));
                        session.renew(&format!("{id} {number}")).await
                    } else {
                        session.commit().await
                    };
                    match done {
                        Ok(_) => {}
                        Err(Error::Destroyed | Error::Renewed) => break,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                session.discard();
            }
            keys
        });
    }
    all_in.wait().await;
    let sessions = fixture.sessions::<Member>();
    let ended = sessions.destroy_found(MemberIndex::User(&user)).await.expect("all are ended");
    let left = sessions.list_found(MemberIndex::User(&user)).await.expect("a listing");
    assert_eq!(left.iter().filter(|(_, member)| member.early).count(), 0, "survivors");
    over.store(true, Ordering::Release);
    let keys: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
    assert!(ended >= TASKS as u64, "{ended} were ended, and {TASKS} were logged in");
    for key in keys {
        let member = load(&sessions, &key).await;
        assert!(!member.early, "it survived: {}", KeyHash::of(&fixture.key(&key)));
    }
    sessions.destroy_found(MemberIndex::User(&user)).await.expect("all are ended");
}

/// Sessions that were stored before their field was indexed are found once the index is built.
pub(super) async fn p11_what_was_stored_before_is_found_once_the_index_is_built(fixture: Fixture) {
    let sessions = fixture.sessions::<Member>();
    let value = format!("{} user", fixture.name);
    let (user, key) = (Some(value.clone()), fixture.id("42"));
    sessions.update(&key, |member| *member.edit().visits() = 1).await.expect("a commit");
    let behind = fixture.named("conformance-member");
    let (place, stored) = (behind.key(&key), format!("{value:?}"));
    let record = behind.record(&place).await;
    let mut older = behind.change(&record.head).set("user", stored);
    older = older.edit(|write| (write.version, write.registration) = (record.head.version, record.head.registration));
    applied(behind.commit(&place, &older).await);

    assert!(sessions.build_index(&fixture.store).await.expect("an index") >= 1);
    assert_eq!(sessions.count_found(MemberIndex::User(&user)).await.expect("a count"), 1);
    assert_eq!(sessions.destroy_found(MemberIndex::User(&user)).await.expect("an end"), 1);
}
