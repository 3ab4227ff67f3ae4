//! What is stored in each store, by commits with ids that never change, and how that is to be read.

use session_runtime::expiry::{ClockOffset, Lifetime, Timestamp};
use session_runtime::store::{
    Action, Base, Change, Commit, CommitId, Ended, ExpiryChange, Incarnation, RegisteredField, Registration,
    RegistrationId, Store, Write,
};
use session_tests::commits::{NOTHING, applied, key, set, unset};

/// So long nothing that is recorded ends, and no header of what has ended is purged.
pub(super) const CENTURY: i64 = 3_155_760_000_000;

/// The first second of the year 2100.
pub(super) const FIXED_END: i64 = 4_102_444_800_000;

pub(super) const VERSION: u32 = 3;

/// The highest bit is set: engines have signed integers only.
pub(super) const REGISTRATION: RegistrationId = RegistrationId(0xfedc_ba98_7654_3210);

/// The user's part of a key, with all that a store might have to escape.
const RENEWED: &str = "chat:{7}%é'";

const PHOTO: &[u8] = b"\x00\xff\x80'\"\\\r\n";

/// So long that no store keeps it beside others.
const ESSAY: &[u8] = &[b'e'; 300];

/// A key, and what a load must find there.
pub(super) struct Kept {
    pub(super) key: &'static str,
    pub(super) incarnation: Incarnation,
    pub(super) state: State,
}

pub(super) enum State {
    /// A record, also one that was emptied.
    Record {
        stored: bool,
        revision: u64,
        /// The ids of commits that must be known as applied, newest first.
        commits: &'static [u64],
        fields: &'static [(&'static str, &'static [u8])],
        end: End,
        /// The ended life of the key that the creator saw.
        origin: Option<Incarnation>,
    },
    /// The header of what ended so.
    Ended(Ended),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Never,
    Fixed,
    /// A century after the only commit.
    Sliding,
}

/// What is to be read from each key.
pub(super) const KEPT: &[Kept] = &[
    Kept {
        key: "42",
        incarnation: Incarnation(0xffff_0000_0000_0001),
        state: State::Record {
            stored: true,
            revision: 2,
            commits: &[0x8000_0000_0000_0012, 0x11],
            fields: &[("address.city", b"\"K\xc3\xb6ln\""), ("essay", ESSAY), ("photo", PHOTO), ("visits", b"7")],
            end: End::Never,
            origin: None,
        },
    },
    Kept {
        key: "always stored",
        incarnation: Incarnation(2),
        state: State::Record {
            stored: true,
            revision: 1,
            commits: &[0x21],
            fields: &[],
            end: End::Never,
            origin: None,
        },
    },
    Kept {
        key: "emptied",
        incarnation: Incarnation(3),
        state: State::Record {
            stored: false,
            revision: 2,
            commits: &[0x32, 0x31],
            fields: &[],
            end: End::Never,
            origin: None,
        },
    },
    Kept { key: "destroyed", incarnation: Incarnation(4), state: State::Ended(Ended::Destroyed) },
    Kept {
        key: "created anew",
        incarnation: Incarnation(6),
        state: State::Record {
            stored: true,
            revision: 1,
            commits: &[0x53],
            fields: &[("visits", b"1")],
            end: End::Never,
            origin: Some(Incarnation(5)),
        },
    },
    Kept { key: "to be renewed", incarnation: Incarnation(7), state: State::Ended(Ended::Renewed) },
    Kept {
        key: RENEWED,
        incarnation: Incarnation(8),
        state: State::Record {
            stored: true,
            revision: 1,
            commits: &[0x72],
            fields: &[("theme", b"\"dark\""), ("visits", b"2")],
            end: End::Never,
            origin: Some(Incarnation(8)),
        },
    },
    Kept {
        key: "with a fixed end",
        incarnation: Incarnation(9),
        state: State::Record {
            stored: true,
            revision: 1,
            commits: &[0x91],
            fields: &[("visits", b"1")],
            end: End::Fixed,
            origin: None,
        },
    },
    Kept {
        key: "sliding",
        incarnation: Incarnation(10),
        state: State::Record {
            stored: true,
            revision: 1,
            commits: &[0xa1],
            fields: &[("visits", b"1")],
            end: End::Sliding,
            origin: None,
        },
    },
    Kept {
        key: "busy",
        incarnation: Incarnation(11),
        state: State::Record {
            stored: true,
            revision: 10,
            commits: &[0xba, 0xb9, 0xb8, 0xb7, 0xb6, 0xb5, 0xb4, 0xb3],
            fields: &[("visits", b"10")],
            end: End::Never,
            origin: None,
        },
    },
];

/// The initial values that were agreed on.
pub(super) fn registration() -> Registration {
    let field = |name: &str, initial: Option<&'static [u8]>, sensitive| RegisteredField {
        name: name.into(),
        initial: initial.map(Into::into),
        sensitive,
    };
    Registration {
        id: REGISTRATION,
        name: "Visitor".into(),
        version: VERSION,
        codec: "json".into(),
        fields: vec![
            field("visits", Some(b"0"), false),
            field("theme", Some(b"\"light\""), false),
            field("address.city", Some(b"\"\""), false),
            field("photo", Some(PHOTO), true),
            field("joined_at", None, false),
        ],
    }
}

/// How long sessions with this end live.
pub(super) fn lifetime(end: End) -> Lifetime {
    let inactivity = (end == End::Sliding).then_some(CENTURY);
    Lifetime { inactivity, creation: None, touch_after: 86_400_000, retention: CENTURY }
}

/// The base of a session that was read.
pub(super) fn based(incarnation: Incarnation, revision: u64, last_commit: u64) -> Base {
    Base::Record { incarnation, revision, last_commit: CommitId(last_commit) }
}

pub(super) fn absent(saw: Incarnation) -> Base {
    Base::Absent { saw: Some(saw), valid_until: None }
}

pub(super) fn commit(id: u64, base: Base, action: Action, end: End) -> Commit {
    let mut commit = Commit::new(base, action, lifetime(end), ClockOffset(0));
    commit.id = CommitId(id);
    commit
}

/// A write of these fields, which creates this incarnation if it creates one.
pub(super) fn write(creates: Incarnation, changes: Vec<Change>) -> Write {
    let mut write = Write::new(VERSION, REGISTRATION, changes);
    write.creates = creates;
    write
}

/// Stores all that is recorded.
pub(super) async fn play(store: &impl Store) {
    store.prepare().await.unwrap();
    assert_eq!(store.register(&registration()).await.unwrap(), registration(), "the store was in use already");

    let change =
        |id, base, creates, changes| (id, base, Action::Write(write(Incarnation(creates), changes)), End::Never);
    let visits = |count: u64| vec![set("visits", count.to_string())];
    let mut always = write(Incarnation(2), Vec::new());
    always.keep_empty = true;
    let mut fixed = write(Incarnation(9), visits(1));
    fixed.expiry = ExpiryChange::At(Timestamp::from_millis(FIXED_END));
    let first = 0xffff_0000_0000_0001;
    let renewal = Action::Renew { to: key(RENEWED), write: write(Incarnation(8), vec![set("theme", "\"dark\"")]) };

    let mut script = vec![
        (
            "42",
            change(
                0x11,
                NOTHING,
                first,
                vec![set("address.city", "\"Köln\""), set("essay", ESSAY), set("photo", PHOTO), set("old", "1")],
            ),
        ),
        (
            "42",
            change(
                0x8000_0000_0000_0012,
                based(Incarnation(first), 1, 0x11),
                0,
                [visits(7), vec![unset("old")]].concat(),
            ),
        ),
        ("always stored", (0x21, NOTHING, Action::Write(always), End::Never)),
        ("emptied", change(0x31, NOTHING, 3, visits(1))),
        ("emptied", change(0x32, based(Incarnation(3), 1, 0x31), 0, vec![unset("visits")])),
        ("destroyed", change(0x41, NOTHING, 4, visits(1))),
        ("destroyed", (0x42, based(Incarnation(4), 1, 0x41), Action::Destroy, End::Never)),
        ("created anew", change(0x51, NOTHING, 5, visits(5))),
        ("created anew", (0x52, based(Incarnation(5), 1, 0x51), Action::Destroy, End::Never)),
        ("created anew", change(0x53, absent(Incarnation(5)), 6, visits(1))),
        ("to be renewed", change(0x71, NOTHING, 7, visits(2))),
        ("to be renewed", (0x72, based(Incarnation(7), 1, 0x71), renewal, End::Never)),
        ("with a fixed end", (0x91, NOTHING, Action::Write(fixed), End::Fixed)),
        ("sliding", (0xa1, NOTHING, Action::Write(write(Incarnation(10), visits(1))), End::Sliding)),
        ("busy", change(0xb1, NOTHING, 11, visits(1))),
    ];
    script.extend((1..10).map(|revision| {
        let base = based(Incarnation(11), revision, 0xb0 + revision);
        ("busy", change(0xb1 + revision, base, 0, visits(revision + 1)))
    }));
    for (id, (commit_id, base, action, end)) in script {
        applied(store.commit(&key(id), &commit(commit_id, base, action, end)).await.unwrap());
    }
}
