//! The Redis store on a cluster of three nodes.

use std::sync::Mutex;
use std::time::Duration;

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Base, Housekeeping, RedisOptions, RedisStore, Reply, Slots, Store, StoreErrorKind, conformance,
};
use session_tests::commits::{HALF_AN_HOUR, agree, applied, create, key, load, record, renewing, set, value, write};
use session_tests::redis_server::{RedisServer, is_available};

const CONFIG: [&str; 4] =
    ["cluster-enabled yes", "appendonly no", "cluster-node-timeout 2000", "repl-diskless-sync-delay 0"];

/// Three nodes, each with a third of the slots; nothing if no server is installed.
fn cluster() -> Option<[RedisServer; 3]> {
    let nodes = is_available().then(|| [(); 3].map(|()| RedisServer::start(&CONFIG)))?;
    for (node, (epoch, first, last)) in nodes.iter().zip([(1, 0, 5460), (2, 5461, 10_922), (3, 10_923, 16_383)]) {
        assert_eq!(node.cli(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}")), "+OK\r\n");
        let slots: Vec<String> = (first..=last).map(|slot: u16| slot.to_string()).collect();
        assert_eq!(node.cli(&format!("CLUSTER ADDSLOTS {}", slots.join(" "))), "+OK\r\n");
    }
    for node in &nodes[1..] {
        assert_eq!(nodes[0].cli(&meeting(node)), "+OK\r\n");
    }
    let knows_all = |node: &RedisServer| {
        let info = node.cli("CLUSTER INFO");
        info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3") && info.contains("cluster_size:3")
    };
    until(&nodes, || nodes.iter().all(knows_all), "the nodes did not find each other");
    Some(nodes)
}

/// The cases of the suite in which a cluster differs: what a commit names is in another slot than the session.
#[tokio::test(flavor = "multi_thread")]
async fn p10_the_cases_of_agreements_and_of_the_index_pass_on_a_cluster() {
    let Some(nodes) = cluster() else { return };
    let store = RedisOptions::new(url(&nodes)).slots(Slots::PerName).open().await.unwrap();
    // Where sessions of one user are renewed all the time, no moment is found at which all could be seen.
    let is_quiet = |name: &str| name != "p06_log_out_everywhere_ends_all_that_was_found";
    let differs = |name: &str| name.starts_with("p10_") || name.contains("found") && is_quiet(name);
    for case in conformance::CASES.iter().filter(|case| differs(case.name)) {
        println!("{}", case.name);
        case.run(store.clone()).await;
    }
}

fn meeting(node: &RedisServer) -> String {
    format!("CLUSTER MEET {}", node.address().replace(':', " "))
}

/// Waits until this is so. Each look takes each node 20 ms, in which no replica acknowledges anything.
fn until(nodes: &[RedisServer], mut is_so: impl FnMut() -> bool, else_say: &str) {
    let came = (0..500).any(|_| {
        for node in nodes {
            drop(node.cli("WAIT 9 20"));
        }
        is_so()
    });
    assert!(came, "{else_say}");
}

fn id(node: &RedisServer) -> String {
    node.cli("CLUSTER MYID").lines().nth(1).unwrap().to_owned()
}

fn url(nodes: &[RedisServer]) -> String {
    format!("redis+cluster://{}", nodes[0].address())
}

#[tokio::test]
async fn sessions_spread_over_all_nodes_and_are_found_listed_and_purged_there() {
    let Some(nodes) = cluster() else { return };
    let store = RedisStore::open(url(&nodes)).await.unwrap();
    agree(&store).await;
    for n in 0..100 {
        let place = key(&format!("visitor {n}"));
        let head = create(&store, &place, vec![set("n", n.to_string())]).await;
        applied(store.commit(&place, &write(Base::from(&head), vec![set("again", "1")])).await.unwrap());
        let loaded = record(store.load(&place, load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!(value(&loaded, "n").unwrap(), n.to_string());
    }
    for node in &nodes {
        assert_ne!(node.cli("DBSIZE"), ":0\r\n");
    }
    assert_eq!(store.count("Visitor", ClockOffset(0)).await.unwrap(), 100);
    assert_eq!(store.keys("Visitor", None, 1000, ClockOffset(0)).await.unwrap().keys.len(), 100);
    assert_eq!(store.purge(1000, ClockOffset(10_000_000)).await.unwrap().removed, 100);
    assert_eq!(store.count("Visitor", ClockOffset(0)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_renewal_works_within_a_slot_and_else_changes_nothing() {
    let Some(nodes) = cluster() else { return };
    let by_user = Slots::By(|id| id.split_once('|').map_or("", |(user, _)| user));
    for (slots, from, to, works) in [
        (Slots::PerKey, "u|1", "u|2", false),
        (Slots::PerName, "u|1", "v|2", true),
        (by_user, "u|1", "u|2", true),
        (by_user, "u|3", "v|2", false),
    ] {
        let store = RedisOptions::new(url(&nodes)).slots(slots).open().await.unwrap();
        agree(&store).await;
        let head = create(&store, &key(from), vec![set("a", "1")]).await;
        let renew = renewing(write(Base::from(&head), vec![set("b", "2")]), &key(to));
        let reply = store.commit(&key(from), &renew).await;
        if works {
            applied(reply.unwrap());
            let moved = record(store.load(&key(to), load(HALF_AN_HOUR)).await.unwrap());
            assert_eq!(moved.fields.len(), 2);
        } else {
            let error = reply.unwrap_err();
            assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::CrossSlot, true), "{error:?}");
            let kept = record(store.load(&key(from), load(HALF_AN_HOUR)).await.unwrap());
            assert_eq!(kept.head, head);
        }
    }
}

#[tokio::test]
async fn a_session_is_found_while_its_slot_moves_and_after() {
    let Some(nodes) = cluster() else { return };
    let store = RedisOptions::new(url(&nodes)).slots(Slots::PerName).open().await.unwrap();
    agree(&store).await;
    let mut base = Base::from(&create(&store, &key("1"), vec![set("n", "0")]).await);
    let slot = nodes[0].cli("CLUSTER KEYSLOT session:Visitor:{Visitor}1");
    let slot: u16 = slot.trim_start_matches(':').trim().parse().unwrap();
    let from = usize::from(slot > 5460) + usize::from(slot > 10_922);
    let (from, to) = (&nodes[from], &nodes[(from + 1) % 3]);

    let mut n = 0;
    let mut count = async || {
        n += 1;
        let reply = store.commit(&key("1"), &write(base, vec![set("n", n.to_string())])).await.unwrap();
        let reply = applied(reply);
        assert!(!reply.repeated);
        base = Base::from(&reply.head.unwrap());
        let loaded = record(store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!(value(&loaded, "n").unwrap(), n.to_string());
    };
    assert_eq!(to.cli(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(from))), "+OK\r\n");
    assert_eq!(from.cli(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(to))), "+OK\r\n");
    count().await;
    let target = to.address().replace(':', " ");
    let place = "session:Visitor:{Visitor}1";
    assert_eq!(from.cli(&format!("MIGRATE {target} {place} 0 5000")), "+OK\r\n");
    count().await;
    for node in [to, from] {
        assert_eq!(node.cli(&format!("CLUSTER SETSLOT {slot} NODE {}", id(to))), "+OK\r\n");
    }
    count().await;
    count().await;
}

#[tokio::test]
async fn a_node_that_is_gone_is_unavailable_and_the_others_serve_on() {
    let Some(mut nodes) = cluster() else { return };
    for node in &nodes {
        drop(node.cli("CONFIG SET cluster-require-full-coverage no"));
    }
    let store = RedisOptions::new(url(&nodes)).response_timeout(Duration::from_secs(1)).open().await.unwrap();
    agree(&store).await;
    for n in 0..20 {
        create(&store, &key(&n.to_string()), vec![set("n", "1")]).await;
    }
    nodes[1].kill9();
    let (mut served, mut refused) = (0, 0);
    for n in 0..20 {
        match store.load(&key(&n.to_string()), load(HALF_AN_HOUR)).await {
            Ok(_) => served += 1,
            Err(error) => {
                assert!(matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::TimedOut), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(served > 0 && refused > 0, "{served} served, {refused} refused");
}

#[tokio::test]
async fn p12_sessions_of_a_node_that_died_are_served_by_the_replica_that_took_over() {
    let Some(mut nodes) = cluster() else { return };
    let replica = RedisServer::start(&CONFIG);
    assert_eq!(nodes[0].cli(&meeting(&replica)), "+OK\r\n");
    let knows_all = || replica.cli("CLUSTER INFO").contains("cluster_size:3");
    until(&nodes, knows_all, "the replica was not met");
    until(
        &nodes,
        || replica.cli(&format!("CLUSTER REPLICATE {}", id(&nodes[1]))) == "+OK\r\n",
        "it replicates nothing",
    );

    let store = RedisOptions::new(url(&nodes)).response_timeout(Duration::from_secs(1)).open().await.unwrap();
    agree(&store).await;
    let mut bases = Vec::new();
    for n in 0..20 {
        bases.push(Base::from(&create(&store, &key(&n.to_string()), vec![set("n", "0")]).await));
    }
    let follows =
        || replica.cli("DBSIZE") == nodes[1].cli("DBSIZE") && nodes[1].cli("INFO replication").contains("lag=");
    until(&nodes, follows, "the replica did not follow");
    nodes[1].kill9();
    assert_eq!(replica.cli("CLUSTER FAILOVER TAKEOVER"), "+OK\r\n");
    let others = [&nodes[0], &nodes[2]];
    let port = replica.address();
    let took_over = || others.iter().all(|node| node.cli("CLUSTER SLOTS").contains(port.rsplit(':').next().unwrap()));
    until(&nodes[..1], took_over, "the replica did not take over");

    // The first operation on each session succeeds, also on those of the node that died.
    for (n, base) in bases.into_iter().enumerate() {
        let place = key(&n.to_string());
        let reply = applied(store.commit(&place, &write(base, vec![set("n", "1")])).await.unwrap());
        assert!(!reply.repeated);
        let loaded = record(store.load(&place, load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!(value(&loaded, "n").unwrap(), "1");
    }
}

#[tokio::test]
async fn p10_sessions_go_on_when_all_nodes_were_emptied_under_them() {
    let Some(nodes) = cluster() else { return };
    let store = RedisOptions::new(url(&nodes)).slots(Slots::PerName).open().await.unwrap();
    let empty = || async {
        for node in &nodes {
            assert_eq!(node.cli("FLUSHALL"), "+OK\r\n");
        }
    };
    session_tests::emptied_under_running_sessions(store, empty).await;
}

#[tokio::test]
async fn p10_sessions_go_on_when_all_nodes_were_restored_from_a_backup_under_them() {
    let Some(nodes) = cluster() else { return };
    let store = RedisOptions::new(url(&nodes)).slots(Slots::PerName).open().await.unwrap();
    let backup = Mutex::new(Vec::new());
    // No key of a session holds a space, and none of these expires.
    let save = || async {
        backup.lock().unwrap().clear();
        for (index, node) in nodes.iter().enumerate() {
            for key in node.cli("KEYS *").lines().filter(|line| !line.starts_with(['*', '$'])) {
                let dump = bulk(&node.command(&[b"DUMP", key.as_bytes()]));
                backup.lock().unwrap().push((index, key.to_owned(), dump));
            }
        }
    };
    let restore = || async {
        for node in &nodes {
            assert_eq!(node.cli("FLUSHALL"), "+OK\r\n");
        }
        for (index, key, dump) in backup.lock().unwrap().iter() {
            assert_eq!(nodes[*index].command(&[b"RESTORE", key.as_bytes(), b"0", dump]), b"+OK\r\n");
        }
    };
    session_tests::restored_under_running_sessions(store, save, restore).await;
}

/// What an answer of one binary string holds.
fn bulk(answer: &[u8]) -> Vec<u8> {
    let start = answer.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    answer[start..answer.len() - 2].to_vec()
}

#[tokio::test]
async fn p10_a_commit_whose_registration_is_gone_is_not_acknowledged() {
    let Some(nodes) = cluster() else { return };
    let store = RedisStore::open(url(&nodes)).await.unwrap();
    agree(&store).await;
    for n in 0..20 {
        let place = key(&format!("visitor {n}"));
        let head = create(&store, &place, vec![set("n", "1")]).await;
        let change = write(Base::from(&head), vec![set("n", "2")]);
        assert!(store.withdraw("Visitor", 1).await.unwrap());
        assert_eq!(store.commit(&place, &change).await.unwrap(), Reply::Unregistered);
        agree(&store).await;
        assert_eq!(applied(store.commit(&place, &change).await.unwrap()).head.map(|head| head.revision), Some(2));
        assert_eq!(value(&record(store.load(&place, load(HALF_AN_HOUR)).await.unwrap()), "n").unwrap(), "2");
    }
}
