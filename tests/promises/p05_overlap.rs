//! Writers of different fields both survive; a reader never overwrites.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};

use session_runtime::store::Call;
use session_runtime::{Error, Handle, Outcome, Session, merge};
use session_tests::{Fault, Kept, now, record, stored, write};

use crate::visitor::{Item, TestStore, Visitor, VisitorField, builder, fields, sessions};

/// Two handlers that loaded the same session.
fn two<T: Session>(sessions: &Kept<T, TestStore>) -> (Handle<T>, Handle<T>) {
    (now(sessions.load("42")).expect("a load"), now(sessions.load("42")).expect("a load"))
}

fn commit<T: Session>(handle: &mut Handle<T>) -> Outcome {
    now(handle.commit()).expect("a commit").outcome()
}

#[tokio::test]
async fn p05_writers_of_different_fields_both_survive() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| visitor.edit().cart().push(Item::new("A", 1))).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *one.edit().visits() = 5;
    *other.edit().theme() = "dark".to_owned();
    assert_eq!(commit(&mut one), Outcome::Updated);
    assert_eq!(commit(&mut other), Outcome::Updated);
    assert_eq!((other.visits, other.theme.as_str()), (5, "dark"), "the later writer sees both");
    let both = [("cart", r#"[{"sku":"A","quantity":1}]"#), ("theme", r#""dark""#), ("visits", "5")];
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&both));
}

#[tokio::test]
async fn p05_two_creators_of_different_fields_both_survive() {
    let sessions = sessions::<Visitor>();
    let (mut one, mut other) = two(&sessions);
    *one.edit().visits() = 5;
    *other.edit().theme() = "dark".to_owned();
    assert_eq!(commit(&mut one), Outcome::Created);
    assert_eq!(commit(&mut other), Outcome::Updated);
    let both = [("theme", r#""dark""#), ("visits", "5")];
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&both));
}

#[tokio::test]
async fn p05_overlap_costs_one_more_round_trip() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *one.edit().visits() = 2;
    *other.edit().theme() = "dark".to_owned();
    commit(&mut one);
    let _ = sessions.store().take();
    commit(&mut other);
    let sent = Call::Commit { key: "42".to_owned(), set: fields(&[("theme", r#""dark""#)]), unset: Vec::new() };
    assert_eq!(sessions.store().take(), [sent.clone(), sent]);
}

#[tokio::test]
async fn p05_a_reader_never_overwrites() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    let (mut writer, mut reader) = two(&sessions);
    *writer.edit().visits() = 2;
    commit(&mut writer);
    reader.edit_all();
    assert_eq!(commit(&mut reader), Outcome::Unchanged);
    reader.edit().cart().push(Item::new("A", 1));
    commit(&mut reader);
    assert_eq!(reader.visits, 2);
    assert_eq!(sessions.load("42").await.expect("a load").visits, 2);
}

#[test]
fn p05_a_commit_that_overwrites_and_fails_says_so_when_it_is_made_again() {
    for fault in [Fault::Refused, Fault::LostBefore, Fault::LostAfter] {
        let sessions = sessions::<Visitor>();
        let (mut one, mut other) = two(&sessions);
        *one.edit().visits() = 1;
        commit(&mut one);

        *other.edit().visits() = 2;
        let store = sessions.store().inner().clone();
        // The first call finds the other commit; the second, which puts the change on top of that, fails.
        sessions.store().inner().meanwhile(move || store.fail_commit(fault));
        assert!(matches!(now(other.commit()), Err(Error::Store(_))), "{fault:?}");
        let committed = now(other.commit()).expect("the store is back");
        let overlapped: Vec<_> = committed.overlapped().iter().collect();
        assert_eq!(overlapped, [VisitorField::Visits], "{fault:?}: the commit of the other is gone");
        assert_eq!(now(sessions.load("42")).expect("a load").visits, 2);

        *other.edit().visits() = 3;
        assert!(now(other.commit()).expect("a commit").overlapped().is_empty(), "{fault:?}: it is told once");
    }
}

#[tokio::test]
async fn p05_a_change_that_was_taken_back_does_not_overwrite() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *one.edit().visits() = 2;
    commit(&mut one);
    *other.edit().visits() = 9;
    *other.edit().visits() = 1;
    *other.edit().theme() = "dark".to_owned();
    commit(&mut other);
    assert_eq!(sessions.load("42").await.expect("a load").visits, 2);
}

#[tokio::test]
async fn p05_of_two_writers_of_one_field_the_last_commit_wins() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *other.edit().visits() = 3;
    *one.edit().visits() = 2;
    commit(&mut one);
    commit(&mut other);
    assert_eq!(sessions.load("42").await.expect("a load").visits, 3);
    // Also when the last one takes the field back to its initial value.
    let (mut one, mut other) = two(&sessions);
    *one.edit().visits() = 4;
    *other.edit().visits() = 0;
    commit(&mut one);
    assert_eq!(commit(&mut other), Outcome::Removed);
    assert_eq!(stored(sessions.store(), "visitor", "42").await, []);
}

#[tokio::test]
async fn p05_a_removal_and_a_change_of_another_field_both_survive() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *one.edit().visits() = 0;
    *other.edit().theme() = "dark".to_owned();
    assert_eq!(commit(&mut one), Outcome::Removed);
    assert_eq!(commit(&mut other), Outcome::Created);
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&[("theme", r#""dark""#)]));
}

#[tokio::test]
async fn p05_fields_of_another_build_survive() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    write(sessions.store(), "visitor", "42", &[("wishlist", Some("[7]"))]).await;
    let (mut one, mut other) = two(&sessions);
    *one.edit().visits() = 0;
    assert_eq!(commit(&mut one), Outcome::Updated, "the store decides that the record is not empty");
    other.edit_all().theme.push('!');
    commit(&mut other);
    let both = [("theme", r#""light!""#), ("wishlist", "[7]")];
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&both));
}

#[derive(Session)]
#[session(name = "p05-ledger")]
struct Ledger {
    #[session(merge = merge::add)]
    total: i64,
    #[session(merge = merge::union)]
    tags: HashSet<String>,
    #[session(merge = merge::union)]
    prices: BTreeMap<String, u32>,
    #[session(merge = merge::append)]
    log: Vec<u32>,
    #[session(merge = merge::max)]
    best: u32,
    #[session(merge = merge::min, initial = 100)]
    fastest: u32,
    #[session(merge = longest)]
    title: String,
    #[session(nested)]
    inner: Counters,
}

#[derive(Session)]
#[session(name = "p05-counters")]
struct Counters {
    #[session(merge = merge::add)]
    clicks: u32,
}

fn longest(base: &String, mine: String, theirs: String) -> String {
    let longest = if mine.len() > theirs.len() { mine } else { theirs };
    format!("{longest} (was {base})")
}

fn set(elements: &[&str]) -> HashSet<String> {
    elements.iter().map(|element| (*element).to_owned()).collect()
}

#[tokio::test]
async fn p05_merge_combines_what_two_handlers_changed() {
    let sessions = sessions::<Ledger>();
    let begin = |ledger: &mut Handle<Ledger>| {
        let ledger = ledger.edit_all();
        ledger.total = 10;
        ledger.tags = set(&["a", "b"]);
        ledger.prices = BTreeMap::from([("tea".to_owned(), 3), ("pie".to_owned(), 5)]);
        ledger.log = vec![1];
        ledger.title = "no".to_owned();
        ledger.inner.clicks = 1;
    };
    sessions.update("42", begin).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    {
        let one = one.edit_all();
        one.total += 5;
        one.tags = set(&["a", "b", "c"]);
        one.prices.insert("tea".to_owned(), 4);
        one.log.push(2);
        (one.best, one.fastest) = (70, 30);
        one.title = "longer".to_owned();
        one.inner.clicks += 2;
    }
    {
        let other = other.edit_all();
        other.total -= 1;
        other.tags = set(&["b", "d"]);
        other.prices.remove("pie");
        other.log.push(3);
        (other.best, other.fastest) = (60, 20);
        other.title = "mid".to_owned();
        other.inner.clicks += 4;
    }
    commit(&mut one);
    commit(&mut other);
    let merged = sessions.load("42").await.expect("a load");
    assert_eq!(merged.total, 14);
    assert_eq!(merged.tags, set(&["b", "c", "d"]));
    assert_eq!(merged.prices, BTreeMap::from([("tea".to_owned(), 4)]));
    assert_eq!(merged.log, [1, 2, 3]);
    assert_eq!((merged.best, merged.fastest), (70, 20));
    assert_eq!(merged.title, "longer (was no)");
    assert_eq!(merged.inner.clicks, 7);
    assert_eq!(other.total, 14, "the handle holds what was merged");
}

#[tokio::test]
async fn p05_merge_combines_what_two_creators_set() {
    let sessions = sessions::<Ledger>();
    let (mut one, mut other) = two(&sessions);
    *one.edit().total() = 5;
    *other.edit().total() = 7;
    *other.edit().fastest() = 80;
    commit(&mut one);
    commit(&mut other);
    let merged = sessions.load("42").await.expect("a load");
    assert_eq!((merged.total, merged.fastest), (12, 80));
}

#[tokio::test]
async fn p05_merge_back_to_the_initial_value_removes_the_field() {
    let sessions = sessions::<Ledger>();
    sessions.update("42", |ledger| *ledger.edit().total() = 5).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *one.edit().total() = 3;
    *other.edit().total() = 2;
    commit(&mut one);
    assert_eq!(commit(&mut other), Outcome::Removed, "5 - 2 - 3");
    assert_eq!(stored(sessions.store(), "p05-ledger", "42").await, []);
}

#[tokio::test]
async fn p05_a_counter_with_add_ends_exact_whatever_the_order() {
    let sessions = sessions::<Ledger>();
    let mut handles = Vec::new();
    for _ in 0..20 {
        handles.push(sessions.load("42").await.expect("a load"));
    }
    for handle in handles.iter_mut().rev() {
        *handle.edit().total() += 1;
    }
    for handle in &mut handles {
        commit(handle);
    }
    for handle in &mut handles {
        *handle.edit().total() += 1;
        commit(handle);
    }
    assert_eq!(sessions.load("42").await.expect("a load").total, 40);
}

#[derive(Session)]
#[session(name = "p05-account")]
struct Account {
    #[session(conflict = "reject")]
    balance: i64,
    #[session(conflict = "reject")]
    owner: String,
    note: String,
}

#[tokio::test]
async fn p05_a_rejecting_field_that_both_changed_refuses_the_whole_commit() {
    let sessions = sessions::<Account>();
    sessions.update("42", |account| *account.edit().balance() = 10).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *one.edit().balance() -= 7;
    *other.edit().balance() -= 7;
    *other.edit().note() = "paid".to_owned();
    commit(&mut one);
    for _ in 0..2 {
        let refused = other.commit().await.expect_err("both changed it");
        assert!(
            matches!(&refused, Error::Conflict { fields } if fields.iter().map(|field| &**field).eq(["balance"])),
            "{refused:?}"
        );
        assert_eq!(stored(sessions.store(), "p05-account", "42").await, fields(&[("balance", "3")]));
    }
    assert_eq!(other.balance, 3, "the handle keeps its own change of 10 by 7");
    other.discard();
}

#[tokio::test]
async fn p05_a_rejecting_field_that_only_one_changed_refuses_nothing() {
    let sessions = sessions::<Account>();
    sessions.update("42", |account| *account.edit().balance() = 10).await.expect("a commit");
    let (mut one, mut other) = two(&sessions);
    *one.edit().balance() -= 7;
    *other.edit().owner() = "Ada".to_owned();
    commit(&mut one);
    assert_eq!(commit(&mut other), Outcome::Updated);
    let both = [("balance", "3"), ("owner", r#""Ada""#)];
    assert_eq!(stored(sessions.store(), "p05-account", "42").await, fields(&both));
}

#[derive(Session)]
#[session(name = "p05-outer")]
struct Outer {
    #[session(nested, conflict = "reject")]
    purse: Purse,
}

#[derive(Session)]
#[session(name = "p05-purse")]
struct Purse {
    coins: u32,
    notes: u32,
}

#[tokio::test]
async fn p05_every_field_of_a_rejecting_nested_session_rejects() {
    let sessions = sessions::<Outer>();
    let (mut one, mut other) = two(&sessions);
    *one.edit().purse().coins() = 1;
    *other.edit().purse().coins() = 2;
    commit(&mut one);
    let refused = other.commit().await.expect_err("both changed it");
    assert!(matches!(&refused, Error::Conflict { fields } if &*fields[0] == "purse.coins"), "{refused:?}");
    *other.edit().purse().coins() = 0;
    *other.edit().purse().notes() = 5;
    commit(&mut other);
    let both = [("purse.coins", "1"), ("purse.notes", "5")];
    assert_eq!(stored(sessions.store(), "p05-outer", "42").await, fields(&both));
}

#[derive(Session)]
#[session(name = "p05-strict", conflict = "reject")]
struct Strict {
    on_call: HashSet<String>,
    shifts: u32,
}

#[tokio::test]
async fn p05_a_rejecting_session_refuses_after_any_change_by_others() {
    let sessions = sessions::<Strict>();
    let (mut one, mut other) = two(&sessions);
    *one.edit().shifts() = 1;
    other.edit().on_call().insert("Ada".to_owned());
    commit(&mut one);
    let refused = other.commit().await.expect_err("another field was changed");
    assert!(matches!(&refused, Error::Conflict { fields } if fields.len() == 1 && &*fields[0] == "shifts"));
    assert_eq!(stored(sessions.store(), "p05-strict", "42").await, fields(&[("shifts", "1")]));
    other.discard();
}

#[tokio::test]
async fn p05_update_runs_again_on_a_fresh_load_when_a_rejecting_field_conflicts() {
    let sessions = sessions::<Account>();
    let others = Kept::<Account, _>::new(sessions.store().clone());
    sessions.update("42", |account| *account.edit().balance() = 10).await.expect("a commit");
    let runs = Cell::new(0);
    let left = sessions.update("42", |account| {
        runs.set(runs.get() + 1);
        if runs.get() < 3 {
            // A handler of another process is faster, twice.
            now(others.update("42", |other| *other.edit().balance() -= 1)).expect("a commit");
        }
        *account.edit().balance() -= 5;
        account.balance
    });
    assert_eq!(now(left).expect("a commit"), 3, "10 - 1 - 1 - 5");
    assert_eq!(runs.get(), 3);
    assert_eq!(sessions.load("42").await.expect("a load").balance, 3);
}

#[tokio::test]
async fn p05_update_gives_up_at_the_deadline() {
    let sessions = builder::<Account>().deadline(std::time::Duration::ZERO).build();
    let others = Kept::<Account, _>::new(sessions.store().clone());
    let refused = sessions.update("42", |account| {
        now(others.update("42", |other| *other.edit().balance() += 1)).expect("a commit");
        *account.edit().balance() += 10;
    });
    let refused = now(refused).expect_err("somebody is always faster");
    assert!(matches!(refused, Error::Contended), "{refused:?}");
    assert_eq!(stored(sessions.store(), "p05-account", "42").await, fields(&[("balance", "1")]));
}

#[tokio::test(start_paused = true)]
async fn p05_update_counts_once_whichever_answer_is_lost() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let sessions = sessions::<Visitor>();
        for lost in 0..4 {
            (0..lost).for_each(|_| sessions.store().inner().fail_commit(fault));
            let seen = sessions.update("42", |visitor| {
                *visitor.edit().visits() += 1;
                visitor.visits
            });
            assert_eq!(seen.await.expect("an update"), lost + 1, "{fault:?}");
        }
        assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&[("visits", "4")]), "{fault:?}");
    }
}

#[tokio::test]
async fn p05_update_drops_what_the_closure_did_before_it_runs_again() {
    let sessions = sessions::<Visitor>();
    let others = Kept::<Visitor, _>::new(sessions.store().clone());
    let mut runs = 0;
    let update = sessions.update("42", |visitor| {
        runs += 1;
        if runs == 1 {
            now(others.update("42", |other| *other.edit().visits() += 1)).expect("a commit");
            *visitor.edit().theme() = "dark".to_owned();
            visitor.edit().cart().push(Item::new("A1", 1));
        }
        *visitor.edit().visits() += 1;
    });
    update.await.expect("an update");
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&[("visits", "2")]));
    assert_eq!((runs, sessions.stats().reruns), (2, 1));
}

#[tokio::test]
async fn p05_an_update_that_others_make_needless_writes_nothing() {
    let sessions = sessions::<Visitor>();
    let others = Kept::<Visitor, _>::new(sessions.store().clone());
    let mut is_first = true;
    let update = sessions.update("42", |visitor| {
        if std::mem::take(&mut is_first) {
            now(others.update("42", |other| *other.edit().theme() = "dark".to_owned())).expect("a commit");
        }
        *visitor.edit().theme() = "dark".to_owned();
    });
    update.await.expect("an update");
    let record = record(sessions.store(), "visitor", "42").await.expect("a record");
    assert_eq!(record.head.revision, 1, "the other's commit is the only one");
}

#[tokio::test]
async fn p05_a_change_survives_that_others_wrote_the_same_value_in_other_bytes() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| visitor.edit().cart().push(Item::new("A", 1))).await.expect("a commit");
    let mut mine = sessions.load("42").await.expect("a load");
    mine.edit().cart().push(Item::new("B", 2));
    let spaced = r#"[ { "sku": "A", "quantity": 1 } ]"#;
    write(sessions.store(), "visitor", "42", &[("cart", Some(spaced))]).await;
    let committed = mine.commit().await.expect("a commit");
    assert!(committed.overlapped().is_empty(), "nobody changed anything");
    assert_eq!(sessions.load("42").await.expect("a load").cart, [Item::new("A", 1), Item::new("B", 2)]);
}
