//! Arrows between the rooms of `session-runtime` point one way, and no two files point at each other.
//!
//! What counts as an arrow is told in `source.rs`. Where code has to stand follows from it: what a folder's `mod.rs`
//! defines may be used by the files beside it only if `mod.rs` uses nothing of theirs, except to pass their names on.
//! What both need gets a file of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::source::{Arrow, Crate};

/// A part of the crate: folders and files, without `.rs`. A file belongs to the room that names it most exactly.
struct Room {
    name: &'static str,
    holds: &'static [&'static str],
    /// The rooms that it may name things of, besides itself and [`EVERYWHERE`]. They stand above it, so that no circle
    /// can be allowed by mistake.
    may_use: &'static [&'static str],
}

/// What every room may use.
const EVERYWHERE: &str = "common words";

const ROOMS: &[Room] = &[
    Room { name: EVERYWHERE, holds: &["expiry", "merge", "session", "stats"], may_use: &[] },
    Room { name: "codec", holds: &["codec"], may_use: &[] },
    // What travels to a store and back: plain data, no trait, no engine.
    Room {
        name: "words of stores",
        holds: &[
            "store/commit",
            "store/commits",
            "store/ended",
            "store/error",
            "store/field_name",
            "store/field_value",
            "store/id",
            "store/index",
            "store/key",
            "store/name",
            "store/record",
            "store/registration",
        ],
        may_use: &[],
    },
    // A store knows nothing of a session's type.
    Room { name: "store", holds: &["store"], may_use: &["words of stores"] },
    Room { name: "redis", holds: &["store/redis"], may_use: &["words of stores", "store"] },
    Room { name: "postgres", holds: &["store/postgres"], may_use: &["words of stores", "store"] },
    Room { name: "sqlite", holds: &["store/sqlite"], may_use: &["words of stores", "store"] },
    Room {
        name: "connect",
        holds: &["store/connect"],
        may_use: &["words of stores", "store", "redis", "postgres", "sqlite"],
    },
    Room { name: "error", holds: &["error"], may_use: &["codec", "words of stores"] },
    // A session without its store.
    Room { name: "field", holds: &["field"], may_use: &["codec"] },
    Room { name: "schema", holds: &["schema"], may_use: &["codec", "words of stores", "error", "field"] },
    Room { name: "tracked", holds: &["tracked"], may_use: &["codec", "words of stores", "error", "field", "schema"] },
    // Both together.
    Room {
        name: "sessions",
        holds: &["sessions"],
        may_use: &["codec", "words of stores", "store", "error", "field", "schema", "tracked"],
    },
    // What a deployment would say of a session type.
    Room {
        name: "check",
        holds: &["check"],
        may_use: &["codec", "words of stores", "store", "error", "schema", "sessions"],
    },
    Room {
        name: "admin",
        holds: &["admin"],
        may_use: &["codec", "words of stores", "store", "error", "schema", "sessions", "check"],
    },
    Room {
        name: "conformance",
        holds: &["store/conformance"],
        may_use: &["codec", "words of stores", "store", "error", "sessions"],
    },
    Room { name: "web", holds: &["web"], may_use: &["codec", "words of stores", "error", "sessions"] },
    // What users name: it passes names on, and reads what others stored.
    Room { name: "legacy", holds: &["legacy"], may_use: &["error", "sessions", "web"] },
    Room { name: "axum", holds: &["axum"], may_use: &["codec", "words of stores", "error", "sessions", "web"] },
    Room {
        name: "actix_web",
        holds: &["actix_web"],
        may_use: &["codec", "words of stores", "error", "sessions", "web"],
    },
    Room {
        name: "teloxide",
        holds: &["teloxide"],
        may_use: &["codec", "words of stores", "store", "error", "sessions"],
    },
    // What generated code and users name: they pass names on.
    Room { name: "generated code", holds: &["private"], may_use: &["field"] },
    Room { name: "the crate's root", holds: &["lib"], may_use: &[] },
];

/// Arrows and pairs that should not be there and still are. What is gone has to go from here too.
const STILL_THERE: &[(&str, &str)] = &[];

#[test]
fn rooms_point_only_where_they_may() {
    let arrows = Crate::read(&sources("session-runtime")).arrows();
    let wrong = strangers(&arrows, ROOMS, STILL_THERE);
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_two_files_point_at_each_other() {
    let mut wrong = String::new();
    for name in ["session-runtime", "session-derive"] {
        wrong += &circles(&Crate::read(&sources(name)).arrows(), STILL_THERE);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn an_exception_ends_with_its_reason() {
    let mut wrong = String::new();
    for name in ["session-runtime", "session-derive"] {
        let arrows = Crate::read(&sources(name)).arrows();
        wrong += &strangers(&arrows, if name == "session-runtime" { ROOMS } else { &[] }, &[]);
        wrong += &circles(&arrows, &[]);
    }
    for (from, to) in STILL_THERE {
        let is_there = wrong.lines().any(|line| line.contains(from) && line.contains(to));
        assert!(
            is_there,
            "{from} and {to} are in order now: take their line out of STILL_THERE in tests/gate/arrows.rs"
        );
    }
}

#[test]
fn a_room_names_only_rooms_above_it() {
    for (at, room) in ROOMS.iter().enumerate() {
        for name in room.may_use {
            assert!(ROOMS[..at].iter().any(|above| above.name == *name), "{}: {name}", room.name);
        }
    }
}

#[test]
fn an_arrow_back_is_found_and_named() {
    let rooms = [
        Room { name: "store", holds: &["store"], may_use: &[] },
        Room { name: "sessions", holds: &["sessions"], may_use: &["store"] },
    ];
    let arrows = crate_of(&[
        ("lib.rs", "mod store; mod sessions; pub use sessions::Sessions;"),
        ("store/mod.rs", "pub trait Store {}\nfn back(_: crate::sessions::Sessions) {}"),
        ("sessions/mod.rs", "mod handle;\npub use handle::Handle;\npub struct Sessions;"),
        ("sessions/handle.rs", "use super::Sessions;\nuse crate::store::{self, Store};"),
        ("sorts.rs", "use crate::Sessions;"),
    ]);
    assert_eq!(
        strangers(&arrows, &rooms, &[]),
        "src/store/mod.rs:2 names sessions::Sessions of sessions/mod.rs: store may not point at sessions\n\
         src/sorts.rs: no room holds this file; name one in tests/gate/arrows.rs\n"
    );
    assert_eq!(circles(&arrows, &[]), "");
}

#[test]
fn a_circle_of_two_files_is_found_whatever_way_the_names_go() {
    let arrows = crate_of(&[
        ("lib.rs", "mod a; mod b; pub use a::One; pub use b::Two;"),
        ("a.rs", "use crate::Two;\npub struct One(Two);"),
        ("b.rs", "pub struct Two;\nimpl Two { fn one(&self) -> crate::a::One { loop {} } }"),
    ]);
    assert_eq!(
        circles(&arrows, &[]),
        "src/a.rs and src/b.rs point at each other: a.rs:1 names Two; b.rs:2 names a::One\n"
    );
    let arrows = crate_of(&[
        ("a/mod.rs", "mod b;\npub use b::Two;\npub struct One(Two);"),
        ("a/b.rs", "pub struct Two;\nmod inner { use super::super::One; }"),
    ]);
    assert_eq!(
        circles(&arrows, &[]),
        "src/a/b.rs and src/a/mod.rs point at each other: a/b.rs:2 names a::One; a/mod.rs:2 names a::b::Two\n"
    );
}

#[test]
fn tests_comments_and_strings_are_no_arrows() {
    let arrows = crate_of(&[
        (
            "a.rs",
            "// crate::b::Two\nconst S: &str = r#\"crate::b::Two \"#; const C: char = '\"';\n/// [`crate::b::Two`]\n#[cfg(test)]\nmod tests { use crate::b::Two; }\n#[cfg(test)]\nmod more;\npub(in crate::b) struct One<'a>(&'a str);",
        ),
        ("a/more.rs", "use crate::b::Two;"),
        ("b.rs", "use crate::a::One;\n#[macro_export]\nmacro_rules! two { () => { $crate::two!(1) } }"),
        ("c.rs", "crate::two!();"),
    ]);
    let found: Vec<_> = arrows.iter().map(|arrow| (&*arrow.from, &*arrow.to, arrow.line)).collect();
    assert_eq!(found, [("b.rs", "a.rs", 1), ("c.rs", "b.rs", 1)]);
}

fn sources(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src")
}

fn crate_of(files: &[(&str, &str)]) -> BTreeSet<Arrow> {
    let files: BTreeMap<_, _> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    Crate::new(&files).arrows()
}

/// The room of a file.
fn room<'a>(file: &str, rooms: &'a [Room]) -> Option<&'a Room> {
    let path = file.trim_end_matches(".rs");
    let fits = |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let fitting = |room: &Room| room.holds.iter().filter(|name| fits(name)).map(|name| name.len()).max();
    rooms.iter().filter_map(|room| Some((fitting(room)?, room))).max_by_key(|(length, _)| *length).map(|(_, room)| room)
}

/// Arrows that are not allowed, one on each line.
fn strangers(arrows: &BTreeSet<Arrow>, rooms: &[Room], still_there: &[(&str, &str)]) -> String {
    let (mut wrong, mut homeless) = (String::new(), BTreeSet::new());
    for Arrow { from, to, line, path } in arrows {
        match (room(from, rooms), room(to, rooms)) {
            (Some(source), Some(target)) => {
                let may =
                    source.name == target.name || target.name == EVERYWHERE || source.may_use.contains(&target.name);
                if !may && !still_there.contains(&(&**from, &**to)) {
                    let rule = format!("{} may not point at {}", source.name, target.name);
                    let _ = writeln!(wrong, "src/{from}:{line} names {path} of {to}: {rule}");
                }
            }
            (source, target) => {
                homeless.extend(source.is_none().then_some(from));
                homeless.extend(target.is_none().then_some(to));
            }
        }
    }
    for file in homeless {
        let _ = writeln!(wrong, "src/{file}: no room holds this file; name one in tests/gate/arrows.rs");
    }
    wrong
}

/// Pairs of files that point at each other, one on each line.
fn circles(arrows: &BTreeSet<Arrow>, still_there: &[(&str, &str)]) -> String {
    let mut wrong = String::new();
    let first: BTreeMap<_, _> = arrows.iter().rev().map(|arrow| ((&*arrow.from, &*arrow.to), arrow)).collect();
    for ((from, to), there) in &first {
        if let Some(back) = first.get(&(*to, *from)).filter(|_| from < to && !still_there.contains(&(&**from, &**to))) {
            let show = |arrow: &Arrow| format!("{}:{} names {}", arrow.from, arrow.line, arrow.path);
            let _ = writeln!(wrong, "src/{from} and src/{to} point at each other: {}; {}", show(there), show(back));
        }
    }
    wrong
}
