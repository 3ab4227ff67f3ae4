//! What is kept of a written value: which parts it has and what each holds, as hashes.

use super::tree::hash_of;

/// The most parts that are told apart. A value with more is compared as one.
const MOST_PARTS: usize = 64;

/// What wrote a value, as far as the value tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// tower-sessions: a record in MessagePack.
    TowerSessions,
    /// actix-session: a JSON object whose values are JSON texts.
    ActixSession,
    /// express-session, as connect-redis and connect-pg-simple keep it: JSON with a cookie.
    ExpressSession,
    /// Django: a signed text.
    Django,
    /// grammY with `enhanceStorage`: JSON around the session.
    Grammy,
    /// A hash of fields, or a table with a row of them, as this project, Spring Session and others keep it.
    Fields,
    /// Any other JSON.
    Json,
    /// Any other MessagePack.
    MessagePack,
    /// A pickle of Python: compared as bytes.
    Pickle,
    /// Anything else: compared as bytes.
    Bytes,
}

impl Format {
    /// Its name in a report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TowerSessions => "tower-sessions",
            Self::ActixSession => "actix-session",
            Self::ExpressSession => "express-session",
            Self::Django => "Django",
            Self::Grammy => "grammY",
            Self::Fields => "fields",
            Self::Json => "JSON",
            Self::MessagePack => "MessagePack",
            Self::Pickle => "pickle",
            Self::Bytes => "bytes",
        }
    }
}

/// A value as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// What it is.
    pub format: Format,
    /// The hash of its content, without what the library adds.
    pub content: u64,
    /// The hash of what the library adds by itself: when the session ends, a signature.
    added: u64,
    /// The hashes of the parts' names and contents, by name. `None` if its parts cannot be told.
    parts: Option<Box<[Part]>>,
}

/// The hash of a part's name, and that of what it holds.
pub(super) type Part = (u64, u64);

/// What a part holds that a write removes. No hash is likely to be this.
pub const GONE: u64 = 0;

/// The name of a part that says: of all parts that are kept together, the write tells each that there is.
const TOGETHER: Part = (u64::MAX, 1);

/// The parts that a write tells together: those that it does not tell are gone.
pub(super) fn together(parts: impl Iterator<Item = Part>) -> Vec<Part> {
    parts.map(|(name, value)| (name | 1, value)).chain([TOGETHER]).collect()
}

/// A part that is kept for itself, where others are kept together.
pub(super) fn apart((name, value): Part) -> Part {
    (name & !1, value)
}

/// Whether a part is kept with others, where some are.
fn is_together(name: u64) -> bool {
    name & 1 == 1
}

/// What a write did to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing at all.
    Nothing,
    /// It changed only what the library adds by itself.
    Added,
    /// It changed this many parts.
    Parts(usize),
    /// It changed something. What it was cannot be told.
    Something,
}

impl Digest {
    /// A value whose parts cannot be told.
    #[must_use]
    pub(super) fn opaque(format: Format, bytes: &[u8]) -> Self {
        Self { format, content: hash_of(bytes), added: 0, parts: None }
    }

    /// A value of these parts, and what the library adds to them.
    #[must_use]
    pub(super) fn of_parts(format: Format, mut parts: Vec<Part>, added: u64) -> Self {
        parts.sort_unstable();
        let content = hash_of(&parts);
        let parts = (parts.len() <= MOST_PARTS).then(|| parts.into_boxed_slice());
        Self { format, content, added, parts }
    }

    /// The parts, if they can be told.
    pub(super) fn parts(&self) -> Option<&[Part]> {
        self.parts.as_deref()
    }

    /// The hash of what the library adds.
    pub(super) fn added(&self) -> u64 {
        self.added
    }

    /// What made another value of this one.
    #[must_use]
    pub fn change_to(&self, after: &Self) -> Change {
        if self.content == after.content {
            return if self.added == after.added { Change::Nothing } else { Change::Added };
        }
        match (&self.parts, &after.parts) {
            (Some(before), Some(after)) => Change::Parts(differing(before, after)),
            _ => Change::Something,
        }
    }

    /// Whether it sets any part.
    pub(super) fn sets_parts(&self) -> bool {
        self.parts().is_none_or(|parts| parts.iter().any(is_there))
    }

    /// What becomes of nothing when these parts are set.
    pub(super) fn set_alone(self) -> Self {
        let Some(parts) = self.parts.as_deref() else { return self };
        Self::of_parts(self.format, parts.iter().copied().filter(is_there).collect(), self.added)
    }

    /// Sets and removes some of the parts, and leaves the others as they are. Tells what that changed, if each of them
    /// was known, or all that there were.
    pub(super) fn set(&mut self, fields: &Self, is_whole: bool) -> Option<Change> {
        let (before, set) = (self.parts.as_deref()?, fields.parts()?);
        let all_told = value_of(before, TOGETHER.0).is_some();
        let is_known = |name| value_of(before, name).is_some() || (all_told && is_together(name));
        let all_known = is_whole || set.iter().all(|(name, _)| is_known(*name));
        let mut after = self.clone();
        after.join(fields);
        let after = after.set_alone();
        let change = self.change_to(&after);
        *self = after;
        all_known.then_some(change)
    }

    /// Makes one of two that set parts one after the other.
    pub(super) fn join(&mut self, later: &Self) {
        let (before, set) = (self.parts.as_deref(), later.parts());
        let added = if later.added == 0 { self.added } else { later.added };
        *self = match before.zip(set) {
            Some((before, set)) => {
                let all_told = value_of(set, TOGETHER.0).is_some();
                let is_left = |name| value_of(set, name).is_none() && !(all_told && is_together(name));
                let left = before.iter().filter(|(name, _)| is_left(*name));
                Self::of_parts(self.format, left.chain(set).copied().collect(), added)
            }
            None => Self { content: hash_of((self.content, later.content)), added, parts: None, ..*self },
        };
    }
}

fn is_there((_, value): &Part) -> bool {
    *value != GONE
}

fn value_of(parts: &[Part], name: u64) -> Option<u64> {
    let at = parts.binary_search_by_key(&name, |(name, _)| *name).ok()?;
    Some(parts[at].1)
}

/// How many names one of the two lacks or has with another value.
fn differing(before: &[Part], after: &[Part]) -> usize {
    let changed = before.iter().filter(|(name, value)| value_of(after, *name) != Some(*value)).count();
    changed + after.iter().filter(|(name, _)| value_of(before, *name).is_none()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(parts: &[Part], added: u64) -> Digest {
        Digest::of_parts(Format::Json, parts.to_vec(), added)
    }

    #[test]
    fn parts_that_came_went_or_changed_are_counted() {
        let before = digest(&[(3, 30), (1, 10), (2, 20)], 0);
        assert_eq!(before.change_to(&digest(&[(1, 10), (2, 20), (3, 30)], 0)), Change::Nothing);
        assert_eq!(before.change_to(&digest(&[(1, 10), (2, 20), (3, 30)], 9)), Change::Added);
        assert_eq!(before.change_to(&digest(&[(1, 11), (2, 20), (3, 30)], 9)), Change::Parts(1));
        assert_eq!(before.change_to(&digest(&[(1, 10), (2, 21), (4, 40)], 0)), Change::Parts(3));
        assert_eq!(before.change_to(&Digest::opaque(Format::Bytes, b"x")), Change::Something);
    }

    #[test]
    fn more_parts_than_are_kept_are_compared_as_one() {
        let many = |last| digest(&(0..=64).map(|name| (name, name.max(last))).collect::<Vec<_>>(), 0);
        assert_eq!(many(0).parts(), None);
        assert_eq!(many(0).change_to(&many(0)), Change::Nothing);
        assert_eq!(many(0).change_to(&many(1)), Change::Something);
    }

    #[test]
    fn parts_that_are_kept_together_are_gone_when_they_are_not_told() {
        let kept = |parts: &[Part]| digest(&together(parts.iter().copied()), 0);
        let mut known = kept(&[(2, 20), (4, 40)]);
        known.join(&digest(&[apart((6, 60))], 0));
        assert_eq!(known.set(&kept(&[(2, 20), (4, 40)]), false), Some(Change::Nothing));
        assert_eq!(known.set(&kept(&[(2, 21), (4, 40)]), false), Some(Change::Parts(1)));
        assert_eq!(known.set(&kept(&[(2, 21), (4, 40), (8, 80)]), false), Some(Change::Parts(1)), "one came");
        assert_eq!(known.set(&kept(&[(2, 21)]), false), Some(Change::Parts(2)), "two went");
        assert_eq!(known.set(&digest(&[apart((7, 60))], 0), false), Some(Change::Nothing), "what is apart stays");
        let mut unknown = digest(&[apart((6, 60))], 0);
        assert_eq!(unknown.set(&kept(&[(2, 20)]), false), None, "nobody knows what was there");
    }

    #[test]
    fn setting_fields_leaves_the_others() {
        let mut known = digest(&[(1, 10), (2, 20)], 5);
        assert_eq!(known.set(&digest(&[(1, 10)], 0), false), Some(Change::Nothing));
        assert_eq!(known.set(&digest(&[], 6), false), Some(Change::Added));
        assert_eq!(known.set(&digest(&[(1, 11)], 0), false), Some(Change::Parts(1)));
        assert_eq!(known.set(&digest(&[(3, 30)], 0), false), None, "nobody knows what was there");
        assert_eq!(known, digest(&[(1, 11), (2, 20), (3, 30)], 6));
        assert_eq!(known.set(&digest(&[(4, 40), (1, GONE)], 0), true), Some(Change::Parts(2)), "all that was there");
        assert_eq!(known.set(&digest(&[(5, GONE)], 0), true), Some(Change::Nothing));
        assert_eq!(known, digest(&[(2, 20), (3, 30), (4, 40)], 6));
    }
}
