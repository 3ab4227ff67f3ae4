//! Which fields of a session changed, and to what.
//!
//! Two stages: a mutable borrow marks a field, which costs one byte store and may over-mark; asking what is dirty looks
//! at the marked fields only, encodes each and compares it with the baseline.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::field;
use crate::schema::Schema;
use crate::session::{MarkSet, Session};
use crate::stats::Count;
use crate::store::{Change, FieldValue};

mod baseline;
mod complete;
mod fields;
mod patch;
mod rebase;

pub(crate) use baseline::Baseline;
pub use fields::Fields;
pub use patch::Patch;

/// A session with its marks and its baseline: change tracking without a store.
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
    made: Vec<(usize, FieldValue)>,
    schema: Arc<Schema<T, C>>,
    /// Whether a look has seen a difference from this baseline.
    seen_dirty: AtomicBool,
}

impl<T: Session> Tracked<T> {
    /// A new session, in JSON.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// assert_eq!(Tracked::<Visitor>::new()?.visits, 0);
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Encode`] and [`Error::UnstableInitial`], when the initial value is none that can be tracked.
    pub fn new() -> Result<Self, Error> {
        Tracked::with_codec(Json)
    }
}

impl<T: Session, C: Codec> Tracked<T, C> {
    /// A new session, in the encoding of `codec`.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// use session_runtime::codec::Json;
    ///
    /// assert_eq!(Tracked::<Visitor, _>::with_codec(Json)?.visits, 0);
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
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
        Self::from_parts(value, Baseline::initial(), schema)
    }

    /// A session whose fields were stored.
    pub(crate) fn from_parts(value: T, baseline: Baseline, schema: Arc<Schema<T, C>>) -> Result<Self, Error> {
        let mut made = Vec::new();
        for &index in schema.pinned() {
            if baseline.stored(index).is_none() {
                made.push((index, schema.encode(&value, index)?));
            }
        }
        let seen_dirty = AtomicBool::new(false);
        Ok(Self { value, marks: T::Marks::default(), baseline, made, schema, seen_dirty })
    }

    /// Drops what was changed since the baseline, which is of a stored session.
    pub(crate) fn revert(&mut self) -> Result<(), Error> {
        self.value = self.baseline.decode(&self.schema)?;
        self.marks.fill(false);
        *self.seen_dirty.get_mut() = false;
        Ok(())
    }

    /// Lends the session for change, field by field.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// let mut visitor = Tracked::<Visitor>::new()?;
    /// *visitor.edit().visits() += 1;
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    #[inline]
    pub fn edit(&mut self) -> T::Edit<'_> {
        T::lend(&mut self.value, &mut self.marks)
    }

    /// Lends the whole session for change. Every field is looked at when it is asked what is dirty.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// let mut visitor = Tracked::<Visitor>::new()?;
    /// visitor.edit_all().theme = "dark".to_owned();
    /// assert_eq!(visitor.dirty()?.len(), 1);
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    #[inline]
    pub fn edit_all(&mut self) -> &mut T {
        self.marks.fill(true);
        &mut self.value
    }

    /// The fields whose value differs from the baseline.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// let mut visitor = Tracked::<Visitor>::new()?;
    /// *visitor.edit().theme() = "dark".to_owned();
    /// assert!(visitor.dirty()?.contains(VisitorField::Theme));
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Encode`] when a marked field cannot be encoded.
    pub fn dirty(&self) -> Result<Fields<T>, Error> {
        Ok(self.look(false)?.fields)
    }

    /// The change from the baseline to the present value.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// let mut visitor = Tracked::<Visitor>::new()?;
    /// *visitor.edit().visits() = 7;
    /// let patch = visitor.patch()?;
    /// assert_eq!(&*patch.changes()[0].name, "visits");
    /// assert_eq!(patch.changes()[0].value.as_deref(), Some(&b"7"[..]));
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Encode`] when a marked field cannot be encoded.
    pub fn patch(&self) -> Result<Patch<T>, Error> {
        self.look(self.schema.reads_back)
    }

    /// The change from the baseline to the present value, read back if wished.
    fn look(&self, reads_back: bool) -> Result<Patch<T>, Error> {
        let mut patch = Patch::empty();
        if !self.marks.any() {
            return Ok(patch);
        }
        let mut scratch = Vec::new();
        for index in (0..T::LEN).filter(|&index| self.marks.get(index)) {
            scratch.clear();
            let is_dirty = self.examine(index, self.baseline(index), &mut scratch)?;
            // Also when nothing is to be sent: what has the bytes of the baseline is not always the baseline's value.
            if reads_back {
                self.schema.read_back(&self.value, index, &scratch)?;
            }
            if is_dirty {
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
        let is_stored = |index: usize| self.marks.get(index) && self.baseline.stored(index).is_some();
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

    /// The session itself, without its marks and its baseline.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// let mut visitor = Tracked::<Visitor>::new()?;
    /// *visitor.edit().visits() = 7;
    /// assert_eq!(visitor.into_inner().visits, 7);
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Tells that everything up to now is stored: what was changed is no longer dirty.
    ///
    /// `patch` is the session's latest.
    ///
    /// ```
    /// # use session_runtime::{Session, Tracked};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// let mut visitor = Tracked::<Visitor>::new()?;
    /// *visitor.edit().visits() = 7;
    /// let patch = visitor.patch()?;
    /// visitor.saved(&patch);
    /// assert!(visitor.dirty()?.is_empty());
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn saved(&mut self, patch: &Patch<T>) {
        self.marks.fill(false);
        self.settle(&patch.fields, patch.changes.iter().map(|change| change.value.clone()));
    }

    /// Makes these values the baseline, whatever the session's value is by now.
    pub(crate) fn settle(&mut self, fields: &Fields<T>, values: impl IntoIterator<Item = Option<FieldValue>>) {
        *self.seen_dirty.get_mut() = false;
        for (index, value) in fields.indices().zip(values) {
            self.baseline.store(index, value);
            self.baseline.stale.retain(|(stale, _)| *stale != index);
        }
    }

    /// Marks fields whose change was not stored after all.
    pub(crate) fn mark(&mut self, fields: &Fields<T>) {
        for index in fields.indices() {
            self.marks.set(index, true);
        }
    }

    /// Looks at one field: encodes it into `scratch`, and tells whether it differs from `baseline`.
    fn examine(&self, index: usize, baseline: &[u8], scratch: &mut Vec<u8>) -> Result<bool, Error> {
        // As a rule it has not changed at all, and then this is all the room it takes.
        scratch.reserve(baseline.len());
        field::encode(&self.schema.codec, &self.value, index, scratch)
            .map_err(|source| self.schema.encode_error(index, source))?;
        Ok(scratch != baseline && self.schema.differs(&self.value, index, scratch, baseline)?)
    }

    /// The change that stores a dirty field with this encoding: back at its initial value it is not stored.
    fn change(&self, index: usize, encoded: &[u8]) -> Result<Change, Error> {
        let leaf = &self.schema.leaves[index];
        let back = !leaf.def.pin
            && self.baseline.stored(index).is_some()
            && self.schema.is_initial(&self.value, index, encoded)?;
        if !back {
            self.schema.note(index, encoded);
        }
        Ok(Change { name: leaf.name.clone(), value: (!back).then(|| encoded.into()) })
    }

    fn baseline(&self, index: usize) -> &FieldValue {
        let made = || self.made.iter().find(|(made, _)| *made == index).map(|(_, value)| value);
        self.baseline.stored(index).or_else(made).unwrap_or(&self.schema.leaves[index].initial)
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
