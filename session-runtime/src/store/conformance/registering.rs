//! What instances agreed on: the initial values of a session name and version.

use super::fixture::{DAY, Draft, Fixture, MINUTE, REGISTRATION, applied, are, conflict, ended, fields, head};
use crate::store::{Ended, Housekeeping, RegisteredField, Registration, RegistrationId, Reply, Store};

/// The fixture under a name of which nothing is registered.
fn unregistered(fixture: &Fixture) -> Fixture {
    fixture.named(format!("{}-agreed", fixture.name))
}

fn field(name: &str, initial: &str) -> RegisteredField {
    RegisteredField { name: name.into(), initial: Some(initial.into()), sensitive: false }
}

fn proposal(fixture: &Fixture, version: u32, fields: &[RegisteredField]) -> Registration {
    let (id, name) = (RegistrationId::random(), fixture.name.clone());
    Registration { id, name, version, codec: "json".into(), fields: fields.to_vec() }
}

async fn register(fixture: &Fixture, proposal: &Registration) -> Registration {
    sorted(fixture.store.register(proposal).await.expect("initial values can be registered"))
}

async fn registered(fixture: &Fixture, version: u32) -> Option<Registration> {
    let registration = fixture.store.registration(&fixture.name, version).await;
    registration.expect("a registration can be read").map(sorted)
}

/// The order of fields means nothing.
fn sorted(mut registration: Registration) -> Registration {
    registration.fields.sort_by(|one, other| one.name.cmp(&other.name));
    registration
}

/// The first proposal is registered as it is.
pub(super) async fn p10_the_first_registration_stands(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    assert_eq!(registered(&fixture, 1).await, None);
    let mut first = proposal(&fixture, 1, &[field("theme", "\"light\""), field("visits", "0")]);
    first.fields.push(RegisteredField { name: "zone".into(), initial: None, sensitive: true });
    assert_eq!(register(&fixture, &first).await, first);
    assert_eq!(registered(&fixture, 1).await, Some(first.clone()));
    assert_eq!(register(&fixture, &first).await, first, "registering again changes nothing");
}

/// What is registered is never changed: another value is answered with the one that stands.
pub(super) async fn p10_what_is_registered_stays(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    let first = register(&fixture, &proposal(&fixture, 1, &[field("theme", "\"light\""), field("visits", "0")])).await;
    let mut other = proposal(&fixture, 1, &[field("theme", "\"dark\""), field("visits", "1")]);
    other.codec = "msgpack".into();
    other.fields[0].sensitive = true;
    other.fields[1].initial = None;
    assert_eq!(register(&fixture, &other).await, first);
    assert_eq!(registered(&fixture, 1).await, Some(first));
}

/// Fields that are unknown so far are added, and the answer is complete also for those not proposed.
pub(super) async fn p10_unknown_fields_are_added(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    let first = register(&fixture, &proposal(&fixture, 1, &[field("theme", "\"light\""), field("visits", "0")])).await;
    let more = proposal(&fixture, 1, &[field("cart", "[]"), field("theme", "\"dark\"")]);
    let expected = vec![field("cart", "[]"), field("theme", "\"light\""), field("visits", "0")];
    let expected = Registration { fields: expected, ..first };
    assert_eq!(register(&fixture, &more).await, expected);
    assert_eq!(registered(&fixture, 1).await, Some(expected));
}

/// Versions, and names, are agreed on one by one.
pub(super) async fn p10_versions_and_names_are_separate(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    let other = fixture.named(format!("{}_", fixture.name));
    let mut expected = Vec::new();
    for (fixture, version, initial) in
        [(&fixture, 0, "a"), (&fixture, 1, "b"), (&fixture, u32::MAX, "c"), (&other, 1, "d")]
    {
        let proposal = proposal(fixture, version, &[field("theme", initial)]);
        assert_eq!(register(fixture, &proposal).await, proposal);
        expected.push(proposal);
    }
    for registration in &expected {
        let found = fixture.store.registration(&registration.name, registration.version).await;
        assert_eq!(found.expect("a registration can be read").as_ref(), Some(registration));
    }
    assert_eq!(registered(&fixture, 2).await, None);

    let all = fixture.store.registrations().await.expect("registrations can be listed");
    for registration in &expected {
        assert_eq!(all.found.iter().filter(|listed| *listed == registration).count(), 1, "each is listed once");
    }
}

/// Instances that start at the same time agree: all are answered with the same values.
pub(super) async fn p10_concurrent_registrations_agree(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    let instances: Vec<_> = (0..12)
        .map(|n| {
            let fixture = fixture.clone();
            let own = format!("own.{n:02}");
            let proposal = proposal(&fixture, 1, &[field("theme", &n.to_string()), field(&own, "0")]);
            tokio::spawn(async move { (register(&fixture, &proposal).await, own) })
        })
        .collect();
    let mut answers = Vec::new();
    for instance in instances {
        answers.push(instance.await.expect("an instance registers"));
    }
    let agreed = registered(&fixture, 1).await.expect("it is registered");
    assert_eq!(agreed.fields.len(), 13, "all fields are there: {agreed:?}");
    for (answer, own) in answers {
        assert_eq!(answer.id, agreed.id);
        assert!(answer.fields.iter().any(|field| *field.name == own), "the answer has the fields proposed");
        for field in &answer.fields {
            assert!(agreed.fields.contains(field), "{} is agreed on", field.name);
        }
    }
}

/// An agreement that was withdrawn can be made anew.
pub(super) async fn p10_a_withdrawn_registration_is_gone(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    let first = register(&fixture, &proposal(&fixture, 1, &[field("theme", "\"light\"")])).await;
    let other = register(&fixture, &proposal(&fixture, 2, &[field("theme", "\"light\"")])).await;
    let twin = fixture.named(format!("{}-twin", fixture.name));
    let theirs = register(&twin, &proposal(&twin, 1, &[field("theme", "\"light\"")])).await;
    let withdraw =
        || async { fixture.store.withdraw(&fixture.name, 1).await.expect("a registration can be withdrawn") };
    assert!(withdraw().await);
    assert!(!withdraw().await, "there is none any more");
    assert_eq!(registered(&fixture, 1).await, None);
    assert_eq!(registered(&fixture, 2).await, Some(other));
    assert_eq!(registered(&twin, 1).await, Some(theirs));

    let again = proposal(&fixture, 1, &[field("theme", "\"dark\"")]);
    assert_eq!(register(&fixture, &again).await, again);
    assert_ne!(again.id, first.id);
}

/// Registrations are not sessions: neither listed nor counted nor purged with them.
pub(super) async fn p10_registrations_are_not_sessions(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    register(&fixture, &proposal(&fixture, 1, &[field("theme", "\"light\"")])).await;
    assert_eq!(fixture.count().await, 0);
    assert_eq!(fixture.listed(10).await, Vec::<String>::new());
    for id in ["registration", "registrations", "#registration", &fixture.name, "1"] {
        assert_eq!(fixture.absence(&fixture.key(id)).await, None);
    }
}

/// Initial values are any bytes, a name is any name, and an empty value is a value.
pub(super) async fn p10_initial_values_are_opaque(fixture: Fixture) {
    let fixture = unregistered(&fixture);
    let odd = |name: &str, initial: &[u8]| RegisteredField {
        name: name.into(),
        initial: Some(initial.into()),
        sensitive: false,
    };
    let fields = [
        odd("a.b.c", b""),
        odd("bytes", &[0, 255, 254, 10, 13, 0]),
        odd("gr\u{fc}\u{df}e \u{1f36a}", b"\0"),
        odd("large", &vec![7; 100_000]),
        RegisteredField { name: "pinned".into(), initial: None, sensitive: false },
        RegisteredField { name: "secret".into(), initial: Some("x".into()), sensitive: true },
    ];
    let mut proposal = proposal(&fixture, 1, &fields);
    proposal.id = RegistrationId(u64::MAX);
    assert_eq!(register(&fixture, &proposal).await, proposal);
    assert_eq!(registered(&fixture, 1).await, Some(proposal));
}

/// Nothing is acknowledged whose registration the store does not have: neither created nor changed nor moved. When it
/// is registered again, the same commit is applied, once.
pub(super) async fn p10_nothing_is_acknowledged_without_its_registration(fixture: Fixture) {
    for fixture in [fixture.clone(), fixture.idle_for(DAY), fixture.idle_for(DAY).old_at(2 * DAY)] {
        let key = |case: &str| fixture.key(&format!("{case} {:?}", fixture.lifetime));
        let mut commits = Vec::new();
        for case in ["changed", "emptied", "replaced", "dated", "renewed"] {
            let created = fixture.create(&key(case), &[("visits", "1")]).await;
            let change = fixture.change(&created);
            let change = match case {
                "changed" => change.set("visits", "2"),
                "emptied" => change.unset("visits"),
                "replaced" => change.set("theme", "dark").replace(),
                "dated" => change.set("visits", "2").expiry(crate::store::ExpiryChange::ByRule),
                _ => change.set("visits", "2").renew(&key("moved")),
            };
            commits.push((key(case), change));
        }
        commits.push((key("created"), fixture.creation(None).set("visits", "2")));
        commits.push((key("new and renewed"), fixture.creation(None).set("visits", "2").renew(&key("new"))));

        for registered in [None, Some((1, RegistrationId(8))), Some((2, REGISTRATION))] {
            fixture.disagree(1).await;
            if let Some((version, id)) = registered {
                fixture.agree(version, id).await;
            }
            for (key, commit) in &commits {
                let reply = fixture.commit(key, commit).await;
                assert_eq!(reply, Reply::Unregistered, "`{}`, {registered:?} is registered", key.id());
            }
        }
        fixture.agree(1, REGISTRATION).await;
        for (key, commit) in &commits {
            applied(fixture.commit(key, commit).await);
            assert!(applied(fixture.commit(key, commit).await).repeated, "`{}`", key.id());
        }
        for (case, stored) in [("changed", "2"), ("dated", "2"), ("moved", "2"), ("created", "2"), ("new", "2")] {
            let record = fixture.record(&key(case)).await;
            assert_eq!(fields(&record), are(&[("visits", stored)]), "{case}");
            assert!(record.head.revision <= 2, "it was applied once: {:?}", record.head);
        }
        assert_eq!(fields(&fixture.record(&key("replaced")).await), are(&[("theme", "dark")]));
        assert_eq!(fields(&fixture.record(&key("emptied")).await), are(&[]));
    }
}

/// What would not be applied anyway is refused as ever, whatever is registered; and a session can be destroyed.
pub(super) async fn p10_a_lost_registration_hides_no_refusal(fixture: Fixture) {
    let (key, other, short) = (fixture.key("key"), fixture.key("other"), fixture.idle_for(MINUTE));
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let current = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
    let expired = short.create(&other, &[("visits", "1")]).await;
    fixture.disagree(1).await;
    for stale in
        [fixture.change(&created).set("visits", "3"), fixture.change(&created).set("visits", "3").renew(&other)]
    {
        assert_eq!(conflict(fixture.commit(&key, &stale).await).head, current);
    }
    let late = short.after(DAY);
    assert_eq!(ended(late.commit(&other, &late.change(&expired).set("visits", "3")).await), Ended::Expired);
    assert!(fixture.destroy(&key, &current).await.was_stored);
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&current).set("visits", "3")).await), Ended::Destroyed);
}

/// A record that is set aside, or put back, names the registration of its session.
pub(super) async fn p10_a_record_is_set_aside_under_the_registration_of_its_session(fixture: Fixture) {
    let key = fixture.key("key");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let aside = head(applied(fixture.commit(&key, &fixture.change(&created).renew(&key.aside())).await));
    fixture.disagree(1).await;
    let back = fixture.change(&aside).renew(&key);
    assert_eq!(fixture.commit(&key.aside(), &back).await, Reply::Unregistered);
    fixture.agree(1, REGISTRATION).await;
    applied(fixture.commit(&key.aside(), &back).await);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "1")]));
}
