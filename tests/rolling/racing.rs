//! Instances of both builds work on the same few sessions at once, with nobody to put them in order.

use session_runtime::Handle;
use session_runtime::store::Store;

use crate::builds::{Build, Part, State, newer, older, start};
use session_tests::Kept;

const KEYS: u64 = 3;

/// How many handlers of each build there are, and each one's requests.
const HANDLERS: u64 = 4;
const REQUESTS: u64 = 60;

pub async fn run<S: Store>(store: S) {
    start::<older::Visitor, _>(&store).prepare().await.expect("the older build was there first");
    let handlers: Vec<_> = (0..HANDLERS)
        .flat_map(|handler| {
            // Each in a process of its own, so that nothing queues.
            let older = tokio::spawn(work(start::<older::Visitor, _>(&store), Part::Coupon, 2 * handler));
            let newer = tokio::spawn(work(start::<newer::Visitor, _>(&store), Part::Timezone, 2 * handler + 1));
            [older, newer]
        })
        .collect();
    for handler in handlers {
        handler.await.expect("no value went back");
    }
    for key in 0..KEYS {
        let (mut by_older, mut by_newer) = (State::default(), State::default());
        start::<older::Visitor, _>(&store).load(&key.to_string()).await.expect("a load").show(&mut by_older);
        start::<newer::Visitor, _>(&store).load(&key.to_string()).await.expect("a load").show(&mut by_newer);
        assert_eq!(by_older.visits, 2 * HANDLERS * REQUESTS / KEYS, "each visit is counted once");
        assert_eq!((by_older.visits, &by_older.log, by_older.font), (by_newer.visits, &by_newer.log, by_newer.font));
        assert_eq!((&by_older.theme, &by_older.language), (&by_newer.theme, &by_newer.language));
        by_older.log.sort_unstable();
        let all: Vec<u64> = (0..2 * HANDLERS * REQUESTS).filter(|entry| entry % REQUESTS % KEYS == key).collect();
        assert_eq!(by_older.log, all, "each entry is there once");
        assert_eq!(by_older.coupon.as_deref(), Some("older"));
        assert_eq!(by_newer.timezone, "newer");
    }
}

/// Counts visits and writes entries that nobody else writes, and looks that nothing goes back.
async fn work<B: Build, S: Store>(sessions: Kept<B, S>, own: Part, handler: u64) {
    let mut seen = vec![State::default(); usize::try_from(KEYS).expect("a small number")];
    for request in 0..REQUESTS {
        let key = request % KEYS;
        let last = &mut seen[usize::try_from(key).expect("a small number")];
        let mut session = sessions.load(&key.to_string()).await.expect("a load");
        follows(last, &session);
        let mut next = last.clone();
        next.visits += 1;
        next.log.push(handler * REQUESTS + request);
        next.font = 14 + handler;
        next.language = format!("language {request} of {handler}");
        next.coupon = Some("older".to_owned());
        "newer".clone_into(&mut next.timezone);
        for part in [Part::Visits, Part::Log, Part::Font, Part::Language, own] {
            B::set(&mut session, part, &next);
        }
        session.commit().await.expect("a commit");
        follows(last, &session);
        assert_eq!(last.language, next.language, "the handle's own change is not undone");
    }
}

/// What is seen of a session contains all that was seen before.
fn follows<B: Build>(last: &mut State, session: &Handle<B>) {
    let before = last.clone();
    session.show(last);
    assert!(last.visits >= before.visits, "{} visits, and then {}", before.visits, last.visits);
    assert!(last.log.starts_with(&before.log), "{:?}, and then {:?}", before.log, last.log);
    assert_eq!(last.theme, "light", "nobody changed it");
    assert!(before.coupon.is_none() || last.coupon.is_some());
    assert!(before.timezone.is_empty() || !last.timezone.is_empty());
    assert!(before.language == "en" || last.language != "en");
}
