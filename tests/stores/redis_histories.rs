//! Random histories on the Redis store and on the memory store: both answer the same.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use session_runtime::expiry::{ClockOffset, Lifetime, Timestamp};
use session_runtime::store::{
    Action, Base, Commit, CommitId, ExpiryChange, Found, Head, Incarnation, Key, Load, Loaded, MemoryStore, Record,
    RedisStore, RegistrationId, Reply, Store, Write,
};
use session_tests::commits::{FOREVER, HALF_AN_HOUR, NOTHING, agree, key, set, unset};
use session_tests::redis_server::{RedisServer, is_available};

/// What two stores may not differ in: everything but the time, which passes between their answers.
fn timeless(head: Head) -> Head {
    let coarse = |time: Timestamp| Timestamp::from_millis((time.as_millis() + 600_000) / 1_200_000);
    Head {
        created_at: coarse(head.created_at),
        fixed_end: head.fixed_end.map(coarse),
        expires_at: head.expires_at.map(coarse),
        ..head
    }
}

fn sorted(record: &Record) -> String {
    let mut fields: Vec<_> = record.fields.iter().map(|field| (field.name.clone(), field.value.to_vec())).collect();
    fields.sort();
    format!("{:?} {:?} {fields:?}", timeless(record.head), record.commits)
}

fn shown_load(loaded: &Loaded) -> String {
    match &loaded.found {
        Found::Record(record) => format!("touched {}: {}", loaded.touched, sorted(record)),
        absent @ Found::Absent { .. } => format!("{absent:?}"),
    }
}

fn shown_reply(reply: &Reply) -> String {
    match reply {
        Reply::Conflict(record) => format!("conflict: {}", sorted(record)),
        Reply::Applied(applied) => {
            format!("{:?} {:?}", applied.head.map(timeless), (applied.was_stored, applied.is_stored, applied.repeated))
        }
        other => format!("{other:?}"),
    }
}

/// Ten minutes after the last activity, and at most an hour.
const AT_MOST_AN_HOUR: Lifetime =
    Lifetime { inactivity: Some(1_000_000), creation: Some(3_600_000), touch_after: 60_000, retention: 3_600_000 };

/// Bases as sessions have them: what was loaded or answered at any time before.
struct Known {
    bases: Vec<Base>,
    commits: Vec<(Key, Commit)>,
}

fn random_lifetime(random: &mut SmallRng) -> Lifetime {
    // Nothing is purged while the test runs: stores may differ in when they do that.
    Lifetime { retention: 36_000_000, ..*[HALF_AN_HOUR, FOREVER, AT_MOST_AN_HOUR].choose(random).unwrap() }
}

fn random_clock(random: &mut SmallRng) -> ClockOffset {
    ClockOffset(random.random_range(0..3) * 1_500_000)
}

/// A time that none of the clocks is near: the two stores look at them one after the other.
fn between_clocks(number: i64) -> Timestamp {
    Timestamp::now(ClockOffset(number * 2_000_000 + 700_000))
}

fn random_write(random: &mut SmallRng) -> Write {
    let mut changes = Vec::new();
    for name in ["a", "b", "c.d", "long"] {
        match random.random_range(0..4) {
            0 if name == "long" => changes.push(set(name, vec![b'x'; 300])),
            0 => changes.push(set(name, vec![random.random::<u8>()])),
            1 => changes.push(unset(name)),
            _ => {}
        }
    }
    let mut write = Write::new(random.random_range(1..3), RegistrationId(7), changes);
    write.creates = Incarnation(random.random());
    write.replace = random.random_bool(0.1);
    write.keep_empty = random.random_bool(0.1);
    if random.random_bool(0.1) {
        let date = between_clocks(random.random_range(-2..4));
        write.expiry = match random.random_range(0..10) {
            0..4 => ExpiryChange::At(date),
            4..7 => ExpiryChange::After(random.random_range(1..4) * 2_000_000),
            _ => ExpiryChange::ByRule,
        };
    }
    write
}

fn random_commit(random: &mut SmallRng, known: &Known, keys: &[Key]) -> Commit {
    let mut base = *known.bases.choose(random).unwrap();
    if let Base::Absent { valid_until, .. } = &mut base
        && random.random_bool(0.2)
    {
        *valid_until = Some(between_clocks(random.random_range(-1..3)));
    }
    let write = random_write(random);
    let action = match random.random_range(0..10) {
        0 => Action::Destroy,
        1 => Action::Renew { to: keys.choose(random).unwrap().clone(), write },
        _ => Action::Write(write),
    };
    let mut commit = Commit::new(base, action, random_lifetime(random), random_clock(random));
    commit.id = CommitId(random.random());
    commit
}

#[tokio::test]
async fn it_answers_as_the_memory_store_does() {
    if !is_available() {
        return;
    }
    let server = RedisServer::start(&["appendonly no"]);
    for seed in 0..40 {
        let (redis, memory) = (RedisStore::open(server.url()).await.unwrap(), MemoryStore::new());
        agree(&redis).await;
        agree(&memory).await;
        let mut random = SmallRng::seed_from_u64(seed);
        let keys = [key(&format!("one {seed}")), key(&format!("two {seed}")), key(&format!("{{{seed}}}:%\0ü"))];
        let mut known = Known { bases: vec![NOTHING], commits: Vec::new() };
        for step in 0..150 {
            let place = keys.choose(&mut random).unwrap();
            let context = format!("seed {seed}, step {step}");
            if random.random_bool(0.3) {
                let clock = random_clock(&mut random);
                let touches = random.random_bool(0.8);
                let load = if touches { Load::touch(random_lifetime(&mut random), clock) } else { Load::look(clock) };
                let (one, other) = (redis.load(place, load).await.unwrap(), memory.load(place, load).await.unwrap());
                assert_eq!(shown_load(&one), shown_load(&other), "{context}");
                known.bases.push(match one.found {
                    Found::Absent { saw } => Base::Absent { saw: saw.map(|past| past.incarnation), valid_until: None },
                    Found::Record(record) => Base::from(&record.head),
                });
                continue;
            }
            let (place, commit) = match known.commits.choose(&mut random) {
                Some((place, commit)) if random.random_bool(0.1) => (place.clone(), commit.clone()),
                _ => (place.clone(), random_commit(&mut random, &known, &keys)),
            };
            let one = redis.commit(&place, &commit).await.unwrap();
            let other = memory.commit(&place, &commit).await.unwrap();
            assert_eq!(shown_reply(&one), shown_reply(&other), "{context}: {commit:?}");
            match &one {
                Reply::Applied(applied) => known.bases.extend(applied.head.as_ref().map(Base::from)),
                Reply::Conflict(record) => known.bases.push(Base::from(&record.head)),
                Reply::Ended(_) | Reply::Occupied | Reply::Unregistered => {}
            }
            known.commits.push((place, commit));
        }
    }
}
