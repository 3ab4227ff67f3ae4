//! Which fields of a session changed, and to what.
//!
//! Two stages: a mutable borrow sets a flag, which costs one byte store and may over-mark; asking what is dirty looks
//! at the flagged fields only, encodes each and compares it with the baseline.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::schema::Schema;
use crate::session::{MarkSet, Session};
use crate::stats::Count;
use crate::store::{self, Change};

mod entries;
mod fields;
mod rebase;
pub(crate) mod visit;

pub use fields::Fields;

/// A session with its flags and its baseline: change tracking without a store.
///
/// ```
/// # use session_runtime::{Session, Tracked};
/// #[derive(Session)]
/// struct Visitor {
///     visits: u32,
///     #[session(initial = "light".to_owned())]
///     theme: String,
/// }
///
/// let mut visitor = Tracked::<Visitor>::new()?;
/// *visitor.edit().visits() += 1;
/// *visitor.edit().theme() = "light".to_owned(); // the same value: not dirty
/// assert!(visitor.dirty()?.contains(VisitorField::Visits));
///
/// let patch = visitor.patch()?;
/// assert_eq!(patch.changes().len(), 1);
/// assert_eq!(patch.changes()[0].value.as_deref(), Some(&b"1"[..]));
/// visitor.saved(&patch);
/// assert!(visitor.dirty()?.is_empty());
/// # Ok::<(), session_runtime::Error>(())
/// ```
pub struct Tracked<T: Session, C = Json> {
    value: T,
    pub(crate) marks: T::Marks,
    baseline: Baseline,
    /// The pinned fields that are not stored, as this session was made with them: no other has the same ones.
    made: Vec<(usize, Bytes)>,
    schema: Arc<Schema<T, C>>,
    /// Whether a look has seen a difference from this baseline.
    seen_dirty: AtomicBool,
}

/// The encoded fields as loaded.
#[derive(Debug, Clone)]
pub(crate) struct Baseline {
    /// Each field; `None` stands for the initial value.
    pub(crate) fields: Box<[Option<Bytes>]>,
    /// Fields that are also, or only, stored under an alias. The next change of such a field removes that.
    pub(crate) stale: Vec<(usize, Arc<str>)>,
}

impl Baseline {
    /// No field is stored.
    pub(crate) fn initial(len: usize) -> Self {
        Self { fields: vec![None; len].into(), stale: Vec::new() }
    }
}

/// What a commit sends: the dirty fields, with their new values.
pub struct Patch<T> {
    /// The fields, in their order.
    pub(crate) fields: Fields<T>,
    /// The change of each of them.
    pub(crate) changes: Vec<Change>,
}

impl<T> Patch<T> {
    /// The fields it changes.
    #[must_use]
    pub fn fields(&self) -> &Fields<T> {
        &self.fields
    }

    /// The change of each field, in the order of [`Patch::fields`].
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl<T: Session> fmt::Debug for Patch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patch").field(&self.changes).finish()
    }
}

impl<T: Session + 'static> Tracked<T> {
    /// A new session, in JSON.
    ///
    /// # Errors
    /// [`Error::Encode`] and [`Error::UnstableInitial`], when the initial value is none that can be tracked.
    pub fn new() -> Result<Self, Error> {
        Tracked::with_codec(Json)
    }
}

impl<T: Session + 'static, C: Codec> Tracked<T, C> {
    /// A new session, in the encoding of `codec`.
    ///
    /// # Errors
    /// [`Error::Encode`] and [`Error::UnstableInitial`], when the initial value is none that can be tracked.
    pub fn with_codec(codec: C) -> Result<Self, Error> {
        Self::initial(Arc::new(Schema::new(codec, Arc::new(T::initial))?))
    }
}

impl<T: Session, C: Codec> Tracked<T, C> {
    /// A new session.
    pub(crate) fn initial(schema: Arc<Schema<T, C>>) -> Result<Self, Error> {
        let value = schema.initial()?;
        Self::from_parts(value, Baseline::initial(T::LEN), schema)
    }

    /// A session whose fields were stored.
    pub(crate) fn from_parts(value: T, baseline: Baseline, schema: Arc<Schema<T, C>>) -> Result<Self, Error> {
        let mut made = Vec::new();
        for &index in schema.pinned() {
            if baseline.fields[index].is_none() {
                made.push((index, schema.encode(&value, index)?));
            }
        }
        let seen_dirty = AtomicBool::new(false);
        Ok(Self { value, marks: T::Marks::default(), baseline, made, schema, seen_dirty })
    }

    /// Lends the session for change, field by field.
    #[inline]
    pub fn edit(&mut self) -> T::Edit<'_> {
        T::edit(&mut self.value, &mut self.marks)
    }

    /// Lends the whole session for change. Every field is looked at when it is asked what is dirty.
    #[inline]
    pub fn edit_all(&mut self) -> &mut T {
        self.marks.fill(true);
        &mut self.value
    }

    /// The fields whose value differs from the baseline.
    ///
    /// # Errors
    /// [`Error::Encode`] when a touched field cannot be encoded.
    pub fn dirty(&self) -> Result<Fields<T>, Error> {
        Ok(self.patch()?.fields)
    }

    /// The change from the baseline to the present value.
    ///
    /// # Errors
    /// [`Error::Encode`] when a touched field cannot be encoded.
    pub fn patch(&self) -> Result<Patch<T>, Error> {
        let mut patch = Patch::empty();
        if !self.marks.any() {
            return Ok(patch);
        }
        let mut scratch = Vec::with_capacity(64);
        for index in (0..T::LEN).filter(|&index| self.marks.get(index)) {
            scratch.clear();
            if self.examine(index, self.baseline(index), &mut scratch)? {
                patch.push(index, self.change(index, &scratch)?);
            }
        }
        if !patch.is_empty() {
            self.seen_dirty.store(true, Ordering::Relaxed);
        }
        Ok(patch)
    }

    /// Why a session whose patch is empty has nothing to write.
    pub(crate) fn why_clean(&self) -> Count {
        let is_stored = |index: usize| self.marks.get(index) && self.baseline.fields[index].is_some();
        if !self.marks.any() {
            Count::Unmarked
        } else if self.seen_dirty.load(Ordering::Relaxed) {
            Count::Reverted
        } else if (0..T::LEN).any(is_stored) {
            Count::SameValue
        } else {
            Count::Initial
        }
    }

    /// Tells that everything up to now is stored: what was changed is no longer dirty.
    ///
    /// `patch` is the session's latest.
    pub fn saved(&mut self, patch: &Patch<T>) {
        self.marks.fill(false);
        self.settle(&patch.fields, patch.changes.iter().map(|change| change.value.clone()));
    }

    /// Makes these values the baseline, whatever the session's value is by now.
    pub(crate) fn settle(&mut self, fields: &Fields<T>, values: impl IntoIterator<Item = Option<Bytes>>) {
        *self.seen_dirty.get_mut() = false;
        for (index, value) in fields.indices().zip(values) {
            self.baseline.fields[index] = value;
            self.baseline.stale.retain(|(stale, _)| *stale != index);
        }
    }

    /// Marks fields whose change was not stored after all.
    pub(crate) fn touch(&mut self, fields: &Fields<T>) {
        for index in fields.indices() {
            self.marks.set(index, true);
        }
    }

    /// Adds, after all fields, what removes the changed ones' values under older names.
    pub(crate) fn remove_stale(&self, patch: &mut Patch<T>) {
        for (index, name) in &self.baseline.stale {
            if patch.fields.has(*index) {
                patch.changes.push(Change { name: name.clone(), value: None });
            }
        }
    }

    /// Adds pinned fields that are not stored yet: they go with the session's first commit, whatever their value.
    pub(crate) fn pin(&self, patch: &mut Patch<T>) -> Result<(), Error> {
        for &index in self.schema.pinned() {
            if self.baseline.fields[index].is_none() && !patch.fields.has(index) {
                let value = Some(self.schema.encode(&self.value, index)?);
                patch.push(index, Change { name: self.schema.leaves[index].name.clone(), value });
            }
        }
        Ok(())
    }

    /// Adds every stored field that `patch` does not change, so that it can replace what is stored.
    pub(crate) fn complete(&self, patch: &mut Patch<T>) {
        for (index, leaf) in self.schema.leaves.iter().enumerate() {
            if let Some(value) = self.baseline.fields[index].as_ref().filter(|_| !patch.fields.has(index)) {
                patch.push(index, Change { name: leaf.name.clone(), value: Some(value.clone()) });
            }
        }
    }

    /// Looks at one field: encodes it into `scratch`, and tells whether it differs from `baseline`.
    fn examine(&self, index: usize, baseline: &[u8], scratch: &mut Vec<u8>) -> Result<bool, Error> {
        let unordered = self.schema.leaves[index].def.unordered;
        visit::examine(&self.schema.codec, &self.value, index, unordered, baseline, scratch)
            .map_err(|source| self.schema.encode_error(index, source))
    }

    /// The change that stores a dirty field with this encoding: back at its initial value it is not stored.
    fn change(&self, index: usize, encoded: &[u8]) -> Result<Change, Error> {
        let leaf = &self.schema.leaves[index];
        let back = !leaf.def.pin
            && self.baseline.fields[index].is_some()
            && self.schema.is_initial(&self.value, index, encoded)?;
        Ok(Change { name: leaf.name.clone(), value: (!back).then(|| Bytes::copy_from_slice(encoded)) })
    }

    fn baseline(&self, index: usize) -> &Bytes {
        let made = || self.made.iter().find(|(made, _)| *made == index).map(|(_, value)| value);
        self.baseline.fields[index].as_ref().or_else(made).unwrap_or(&self.schema.leaves[index].initial)
    }

    /// How many bytes the session's values have in a store once `patch` is applied.
    pub(crate) fn size_with(&self, patch: &Patch<T>) -> usize {
        let len = |value: &Option<Bytes>| value.as_ref().map_or(0, Bytes::len);
        let before: usize = self.baseline.fields.iter().map(len).sum();
        let (removed, added) =
            patch.fields.indices().zip(&patch.changes).fold((0, 0), |(removed, added), (index, change)| {
                (removed + len(&self.baseline.fields[index]), added + len(&change.value))
            });
        before - removed + added
    }
}

impl<T> Patch<T> {
    pub(crate) const fn empty() -> Self {
        Self { fields: Fields::none(), changes: Vec::new() }
    }

    fn push(&mut self, index: usize, change: Change) {
        let place = self.fields.insert(index);
        self.changes.insert(place, change);
    }
}

impl<T: Session, C> Deref for Tracked<T, C> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

/// Shows no value: a field can be secret. For the session as its type shows it, dereference this.
impl<T: Session, C> fmt::Debug for Tracked<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked").field("marks", &self.marks.any()).finish_non_exhaustive()
    }
}

/// Decodes stored fields: the session's value, and its baseline. Fields that this program does not know are left out.
pub(crate) fn restore<T: Session, C: Codec>(
    schema: &Schema<T, C>,
    fields: Vec<store::StoredField>,
) -> Result<(T, Baseline), Error> {
    let mut value = schema.stored_initial()?;
    let baseline = schema.place(fields);
    for (index, stored) in baseline.fields.iter().enumerate() {
        if let Some(bytes) = stored {
            schema.decode(&mut value, index, bytes)?;
        }
    }
    Ok((value, baseline))
}

/// The baseline of a value as if it were stored.
pub(crate) fn baseline_of<T: Session, C: Codec>(schema: &Schema<T, C>, value: &T) -> Result<Baseline, Error> {
    let mut baseline = Baseline::initial(T::LEN);
    for (index, leaf) in schema.leaves.iter().enumerate() {
        let encoded = schema.encode(value, index)?;
        if leaf.def.pin || !schema.same(value, index, &leaf.initial, &encoded)? {
            baseline.fields[index] = Some(encoded);
        }
    }
    Ok(baseline)
}
