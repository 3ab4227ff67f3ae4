use super::super::digest::GONE;
use super::super::figures::Count;
use super::super::format::digest;
use super::*;

const A: u64 = 1;
const B: u64 = 2;

/// Carries out a script of a word per step, such as `Ar` (A reads), `Aw7` (A writes `{"n":7}`), `Ad` (deletes).
fn tally(steps: &str) -> Figures {
    let mut tally = Tally::new(100);
    let key = Key::of(&"key");
    for (at, step) in steps.split(' ').enumerate() {
        let (who, what) = step.split_at(1);
        let by = By { client: if who == "A" { A } else { B }, at: at as u64 };
        tally.note(
            by,
            match what.split_at(1) {
                ("r", _) => What::Read(key),
                ("d", _) => What::Remove(key),
                ("u", _) => What::Unclear { key, bytes: 3 },
                (_, value) => write(key, value),
            },
        );
    }
    tally.figures()
}

fn write(key: Key, value: &str) -> What {
    let value = format!(r#"{{"n":{value},"theme":"light"}}"#);
    What::Write { key, digest: digest(value.as_bytes()), bytes: value.len(), expected: None }
}

fn overlaps(steps: &str) -> (u64, u64) {
    let figures = tally(steps);
    (figures.overlapped, figures.seem_overlapped)
}

#[test]
fn each_write_is_compared_with_the_one_before() {
    let figures = tally("Ar Aw1 Ar Aw1 Ar Aw2 Ar Ad Aw2 Au Aw2");
    let writes = |kind| figures.of(kind).writes;
    assert_eq!((writes(Kind::First), writes(Kind::Nothing), writes(Kind::OnePart)), (3, 1, 1));
    assert_eq!((figures.unknown(), figures.all().writes), (Count { writes: 1, bytes: 3 }, 6));
    assert_eq!((figures.keys, figures.reads, figures.removals), (1, 4, 1));
    assert_eq!(figures.of(Kind::Nothing).bytes, r#"{"n":1,"theme":"light"}"#.len() as u64);
}

#[test]
fn who_writes_over_what_another_changed_meanwhile_overlaps() {
    assert_eq!(overlaps("Ar Aw1 Br Bw2 Ar Aw3"), (0, 0), "one after the other");
    assert_eq!(overlaps("Ar Br Aw1 Bw2"), (1, 0));
    assert_eq!(overlaps("Ar Br Aw1 Bw1"), (1, 0), "both count a visit: one is lost, though nothing changed");
    assert_eq!(overlaps("Aw1 Ar Br Aw1 Bw2"), (0, 0), "what changed nothing is not lost");
    assert_eq!(overlaps("Br Ar Aw1 Br Bw2"), (0, 0), "it read once more");
    assert_eq!(overlaps("Ar Br Ad Bw2"), (1, 0), "it was destroyed meanwhile");
}

#[test]
fn requests_that_share_a_connection_seem_to_overlap() {
    assert_eq!(overlaps("Ar Ar Aw1 Aw2"), (0, 1));
    assert_eq!(overlaps("Ar Ar Ar Aw1 Ar Aw2"), (0, 0), "two only read");
    assert_eq!(overlaps("Ar Ar Bw1 Bw2"), (0, 1), "read on one connection, written on another");
    assert!(tally("Ar Bw1").is_spread() && !tally("Ar Aw1").is_spread());
    let pool = "Br Ar Bw1 Ar Bw2 Br Ar Aw3";
    assert_eq!(overlaps(&format!("{pool} Ar Bw4")), (0, 0), "who only read does not write later");
    assert_eq!(overlaps(&format!("{pool} Ar Br Aw4 Bw5")), (0, 1));
}

fn fields(key: Key, parts: &[(u64, u64)], is_new: bool) -> What {
    let digest = Digest::of_parts(Format::Fields, parts.to_vec(), 0);
    What::Fields(Fields { key, digest, bytes: 1, is_new })
}

#[test]
fn what_a_script_does_to_fields_is_one_write() {
    let (mut tally, key, by) = (Tally::new(2), Key::of(&1), By { client: A, at: 0 });
    for together in [
        vec![fields(key, &[(1, 10), (2, 20)], true)],
        vec![fields(key, &[(1, GONE)], false), fields(key, &[(2, 21), (3, 30)], false)],
        vec![fields(key, &[(2, 21)], false)],
        vec![fields(key, &[(1, 10)], false), What::Touch(key)],
        vec![fields(key, &[(2, GONE), (3, GONE), (1, GONE)], false), What::Remove(key)],
        vec![fields(key, &[], false)],
        vec![fields(key, &[(1, 10)], false)],
    ] {
        tally.begin_together();
        for what in together {
            tally.note(by, what);
        }
    }
    let figures = tally.figures();
    let writes = |kind| figures.of(kind).writes;
    assert_eq!((writes(Kind::First), writes(Kind::MoreParts)), (2, 1), "new, and new again");
    assert_eq!((writes(Kind::Nothing), writes(Kind::OnePart)), (1, 1), "all that was there is known");
    assert_eq!((figures.removals, figures.touches, figures.all().writes), (1, 1, 5));
}

#[test]
fn a_field_that_was_not_seen_before_is_compared_with_nothing() {
    let (mut tally, key, by) = (Tally::new(2), Key::of(&1), By { client: A, at: 0 });
    for parts in [[(1, 10)], [(2, 20)], [(1, 11)], [(2, 20)]] {
        tally.note(by, fields(key, &parts, false));
    }
    let figures = tally.figures();
    let writes = |kind| figures.of(kind).writes;
    assert_eq!((writes(Kind::First), writes(Kind::OnePart), writes(Kind::Nothing)), (2, 1, 1));
}

#[test]
fn what_is_known_before_is_no_write() {
    let (mut tally, by) = (Tally::new(2), By { client: A, at: 0 });
    let (one, hash) = (Key::of(&1), Key::of(&2));
    for what in [write(one, "1"), fields(hash, &[(1, 10)], false), fields(hash, &[(2, 20)], false)] {
        tally.know(what);
    }
    assert_eq!(tally.figures(), Figures::default());
    tally.note(by, write(one, "1"));
    tally.note(by, fields(hash, &[(1, 10), (3, 30)], false));
    let figures = tally.figures();
    assert_eq!((figures.of(Kind::Nothing).writes, figures.of(Kind::OnePart).writes, figures.keys), (1, 1, 2));
}

#[test]
fn what_is_remembered_has_an_end_and_the_rest_is_said() {
    let mut tally = Tally::new(2);
    let by = By { client: A, at: 0 };
    for name in 0..3_u8 {
        tally.note(by, write(Key::of(&name), "1"));
        tally.note(by, write(Key::of(&name), "1"));
    }
    let figures = tally.figures();
    assert_eq!((figures.of(Kind::First).writes, figures.of(Kind::Nothing).writes), (2, 2));
    assert_eq!((figures.doubts[Doubt::Room as usize].writes, figures.keys), (2, 2));
    assert_eq!((figures.begun_alike, figures.most_alike), (2, 2));
}

#[test]
fn after_a_gap_nothing_is_known() {
    let mut tally = Tally::new(2);
    let (by, key) = (By { client: A, at: 0 }, Key::of(&1));
    tally.note(by, write(key, "1"));
    tally.lost(7);
    tally.note(by, write(key, "1"));
    let figures = tally.figures();
    assert_eq!((figures.lost, figures.of(Kind::First).writes, figures.of(Kind::Nothing).writes), (7, 2, 0));
}
