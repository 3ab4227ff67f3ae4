use session_runtime::expiry::ClockOffset;
use session_runtime::store::{Base, Found, Key, Load, Store};
use session_runtime::{Handle, Sessions};

use super::*;
use crate::replay::visitor::Visitor;

const SMALL: Distribution = Distribution { seed: 1, clients: 60 };

async fn played() -> (Replay, [Cost; 3]) {
    let replay = Replay::new(SMALL.traffic(), Place::default(), 4);
    let costs = replay.play().await.expect("memory does not fail");
    (replay, costs)
}

async fn report(replay: Replay, costs: [Cost; 3]) -> Report {
    replay.report(Source::Generated(SMALL), costs).await.expect("memory does not fail")
}

/// The sessions as another program sees them.
async fn others(replay: &Replay) -> Sessions<Visitor> {
    policies::sessions(replay.place.connect().await.expect("memory does not fail"))
}

/// The key of a client whose session is stored.
fn stored(replay: &Replay) -> String {
    let is_stored = |client: &&(&String, &model::Expected)| !client.1.state.differing_fields().is_empty();
    let clients: Vec<_> = replay.job.keys.iter().zip(&replay.model.clients).collect();
    clients.iter().find(is_stored).expect("some session is stored").0.clone()
}

#[tokio::test]
async fn what_was_replayed_is_what_the_model_says_and_writes_are_exact() {
    let (replay, costs) = played().await;
    let report = report(replay, costs).await;
    assert_eq!((report.differing, report.exit_status()), (0, 0), "{report}");
    let [every, borrowed, ours] = report.figures;
    assert_eq!((every.reads, every.writes), (report.requests as u64, report.requests as u64));
    assert_eq!((borrowed.reads, borrowed.writes), (report.uses, report.touches));
    assert_eq!((ours.reads, ours.writes), (report.uses, report.changes));
    assert!(ours.writes < borrowed.writes && ours.bytes_written < borrowed.bytes_written);
    assert!(ours.records < borrowed.records && borrowed.records < every.records);
    assert_eq!(every.records, report.clients as u64);
}

#[tokio::test]
async fn any_concurrency_gives_the_same_figures() {
    let mut figures = Vec::new();
    for concurrency in [1, 7, 500] {
        let replay = Replay::new(SMALL.traffic(), Place::default(), concurrency);
        let costs = replay.play().await.expect("memory does not fail");
        figures.push(costs.map(|cost| cost.counts));
        assert!(report(replay, costs).await.is_verified());
    }
    assert_eq!(figures[0], figures[1]);
    assert_eq!(figures[0], figures[2]);
}

#[tokio::test]
async fn a_store_can_be_used_again() {
    let place = Place::default();
    for _ in 0..2 {
        let replay = Replay::new(SMALL.traffic(), place.clone(), 4);
        let costs = replay.play().await.expect("memory does not fail");
        assert!(report(replay, costs).await.is_verified());
    }
}

#[tokio::test]
async fn a_field_that_was_tampered_with_is_found() {
    let (replay, costs) = played().await;
    let key = stored(&replay);
    let tamper = |visitor: &mut Handle<Visitor>| *visitor.edit().visits() += 1;
    others(&replay).await.update(&key, tamper).await.expect("memory does not fail");

    let report = report(replay, costs).await;
    assert_eq!(report.exit_status(), 1);
    assert_eq!(report.differing, 2, "as stored, and as read");
    let difference = &report.differences[1];
    assert_eq!((difference.policy, difference.field.as_str()), (Policy::ChangedFields, "visits"));
    assert!(key.ends_with(&difference.client));
    assert!(report.to_string().contains("WRONG: 2 of"), "{report}");
}

#[tokio::test]
async fn a_session_that_is_missing_is_found() {
    let (replay, costs) = played().await;
    let mut missing = others(&replay).await.load(&stored(&replay)).await.expect("memory does not fail");
    missing.destroy().await.expect("memory does not fail");

    let report = report(replay, costs).await;
    assert_eq!(report.exit_status(), 1);
    let difference = &report.differences[0];
    assert_eq!((difference.field.as_str(), &difference.stored), ("times listed", &Some(0.into())));
}

#[tokio::test]
async fn a_session_of_nobody_is_found() {
    let (replay, costs) = played().await;
    let stranger = format!("{}stranger", replay.job.run);
    let store = |visitor: &mut Handle<Visitor>| *visitor.edit().muted() = true;
    others(&replay).await.update(&stranger, store).await.expect("memory does not fail");

    let report = report(replay, costs).await;
    assert_eq!((report.differing, report.exit_status()), (1, 1));
    assert!(report.differences[0].client.ends_with("stranger"));
}

#[tokio::test]
async fn a_whole_record_that_was_tampered_with_is_found() {
    let (replay, costs) = played().await;
    let store = replay.place.connect().await.expect("memory does not fail");
    let key = Key::new(Policy::EveryRequest.namespace().into(), stored(&replay)).expect("a key");
    let load = Load::look(ClockOffset::default());
    let loaded = store.load(&key, load).await.expect("memory does not fail");
    let Found::Record(record) = loaded.found else { panic!("it is stored") };
    let commit = policies::commit_of(b"{}".to_vec(), Base::from(&record.head), record.head.registration);
    store.commit(&key, &commit).await.expect("memory does not fail");

    let report = report(replay, costs).await;
    assert_eq!(report.exit_status(), 1);
    assert!(report.differences.iter().all(|difference| difference.policy == Policy::EveryRequest));
}

#[tokio::test]
async fn a_write_too_many_is_an_error_even_if_the_store_is_right() {
    let (replay, mut costs) = played().await;
    costs[2].counts.writes += 1;
    let report = report(replay, costs).await;
    assert_eq!((report.differing, report.exit_status()), (0, 1));
    assert!(report.to_string().contains("requests left a session different"), "{report}");
}

#[tokio::test]
async fn the_chart_is_well_formed_and_shows_each_figure() {
    let (replay, costs) = played().await;
    let mut report = report(replay, costs).await;
    report.source = Source::Logs(vec!["logs/<a> & b.gz".into()]);
    let svg = chart::draw(&report);

    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("each tag ends");
        assert!(!text.contains('>') && tag.matches('"').count() % 2 == 0, "{tag}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap_or(tag)),
        }
    }
    assert!(open.is_empty());
    assert_eq!(svg.matches("<rect").count(), 1 + 4 * 3);
    assert!(svg.contains("&lt;a&gt; &amp; b.gz"));
    for figures in &report.figures {
        for figure in [figures.reads, figures.writes, figures.bytes_written, figures.records] {
            assert!(svg.contains(&format!(">{}</text>", report::grouped(figure))));
        }
    }
}
