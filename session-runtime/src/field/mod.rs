//! What is done with one field once its type is known: each function here is compiled once per field type.

use std::cell::Cell;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::codec::{Codec, CodecError};
use crate::session::{Format, Merge, ReadField, Session, WriteField};

mod back;
mod depth;
mod describe;
mod hash;
mod names;
mod same;
mod shape;
mod tree;
mod written;

#[cfg(test)]
mod tests;

use depth::Limited;
use describe::{Describe, Description};
pub(crate) use shape::shape;
use tree::Tree;
use written::Written;

/// Appends the encoding of a field of `session` to `out`.
pub(crate) fn encode<T: Session, C: Codec>(
    codec: &C,
    session: &T,
    index: usize,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    T::read(session, index, Encode { codec, out }).unwrap_or_else(|| Err(no_such_field()))
}

/// Appends the encoding of a value of an indexed field to `out`, and tells which field it is of.
pub(crate) fn encode_indexed<T: Session, C: Codec>(
    codec: &C,
    value: T::Index<'_>,
    out: &mut Vec<u8>,
) -> (usize, Result<(), CodecError>) {
    T::indexed(value, Encode { codec, out }).unwrap_or_else(|| (0, Err(no_such_field())))
}

/// What a schema knows of its codec and has seen of encodings.
pub(crate) struct Memory {
    /// What the codec says to `is_human_readable`, which decides how some types serialize.
    pub(crate) is_human_readable: bool,
    /// Which baselines this process encoded itself.
    pub(crate) written: Written,
    /// Which values came back from which encodings.
    proven: Written,
}

impl Memory {
    pub(crate) fn of(codec: &impl Codec) -> Self {
        Self { is_human_readable: is_human_readable(codec), written: Written::default(), proven: Written::default() }
    }
}

/// The encoding that a field is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Baseline<'a> {
    pub(crate) bytes: &'a [u8],
    /// As in [`Memory`].
    pub(crate) is_human_readable: bool,
    /// Whether this process encoded it; `false` when in doubt.
    pub(crate) is_ours: bool,
    /// Whether the field is declared `unordered`.
    pub(crate) is_unordered: bool,
}

/// Whether a field of `session`, of which `encoded` is the encoding, differs from its baseline.
pub(crate) fn differs<T: Session, C: Codec>(
    codec: &C,
    session: &T,
    index: usize,
    encoded: &[u8],
    baseline: Baseline<'_>,
) -> Result<bool, CodecError> {
    if encoded == baseline.bytes {
        return Ok(false);
    }
    if C::POSITION_FREE && baseline.is_ours && has_other_bytes(encoded, baseline.bytes) {
        return Ok(true);
    }
    T::read(session, index, Differs { codec, encoded, baseline }).ok_or_else(no_such_field)
}

/// Whether two encodings of a field stand for the same value; `session` only tells the field's type.
pub(crate) fn same<T: Session, C: Codec>(
    codec: &C,
    session: &T,
    index: usize,
    one: Baseline<'_>,
    other: &[u8],
) -> Result<bool, CodecError> {
    T::read(session, index, Same { codec, one, other }).unwrap_or_else(|| Err(no_such_field()))
}

/// Whether values of a field come back from every codec, so that reading them back is for nothing.
pub(crate) fn is_plain<T: Session>(session: &T, index: usize) -> bool {
    T::read(session, index, IsPlain).unwrap_or(false)
}

/// Fails if a field of `session` would not come back from `encoded`, which is its encoding. `memory` knows which
/// values came back from which bytes, so that a value that does not change is decoded once and not each time.
pub(crate) fn read_back<T: Session, C: Codec>(
    codec: &C,
    session: &T,
    index: usize,
    encoded: &[u8],
    memory: &Memory,
) -> Result<(), CodecError> {
    T::read(session, index, ReadBack { codec, index, encoded, memory }).unwrap_or_else(|| Err(no_such_field()))
}

/// Decodes a field into `session`, which stays as it is when that fails.
pub(crate) fn decode<T: Session, C: Codec>(
    codec: &C,
    session: &mut T,
    index: usize,
    bytes: &[u8],
) -> Result<(), CodecError> {
    T::write(session, index, Decode { codec, bytes }).unwrap_or_else(|| Err(no_such_field()))
}

/// The encodings that a merge combines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub(crate) base: &'a [u8],
    pub(crate) mine: &'a [u8],
    pub(crate) theirs: &'a [u8],
}

/// Merges into a field of `session`; `false` if the field has no merge function.
pub(crate) fn merge<T: Session, C: Codec>(
    codec: &C,
    session: &mut T,
    index: usize,
    sides: Sides<'_>,
) -> Result<bool, CodecError> {
    T::write(session, index, Merging { codec, sides }).unwrap_or_else(|| Err(no_such_field()))
}

/// Whether a field has a merge function; `session` is not changed.
pub(crate) fn merges<T: Session>(session: &mut T, index: usize) -> bool {
    T::write(session, index, Merges).unwrap_or(false)
}

#[cold]
fn no_such_field() -> CodecError {
    CodecError::new("the session has no such field")
}

/// Whether one encoding has bytes that the other has not, so that no other order makes them equal.
fn has_other_bytes(one: &[u8], other: &[u8]) -> bool {
    let sum = |bytes: &[u8]| {
        // In short sums, because only those become vector instructions.
        bytes
            .chunks(128)
            .map(|chunk| u64::from(chunk.iter().fold(0_u16, |sum, byte| sum + u16::from(*byte))))
            .sum::<u64>()
    };
    one.len() != other.len() || sum(one) != sum(other)
}

/// A field, encoded by its rule.
struct ByFormat<'a, F, R>(&'a F, PhantomData<R>);

impl<F, R: Format<F>> Serialize for ByFormat<'_, F, R> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        R::serialize(self.0, serializer)
    }
}

/// A field, decoded by its rule.
struct FromFormat<F, R>(F, PhantomData<R>);

impl<'de, F, R: Format<F>> Deserialize<'de> for FromFormat<F, R> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        R::deserialize(Limited::top(deserializer)).map(|field| Self(field, PhantomData))
    }
}

fn to_bytes<F, R: Format<F>>(codec: &impl Codec, field: &F, out: &mut Vec<u8>) -> Result<(), CodecError> {
    codec.encode(&Limited::top(ByFormat::<F, R>(field, PhantomData)), out)
}

fn from_bytes<F, R: Format<F>>(codec: &impl Codec, bytes: &[u8]) -> Result<F, CodecError> {
    codec.decode::<FromFormat<F, R>>(bytes).map(|decoded| decoded.0)
}

/// How fields of one type are described, as a codec would see them.
#[derive(Clone, Copy)]
struct View {
    is_human_readable: bool,
    is_unordered: bool,
}

impl View {
    /// A hash of all that a field's `Serialize` says. It is the same for the same value; for another, never.
    fn print<F, R: Format<F>>(self, field: &F) -> Result<u64, CodecError> {
        self.describe::<F, R>(field, None).map(|description| description.print)
    }

    fn tree<F, R: Format<F>>(self, field: &F) -> Result<Tree, CodecError> {
        self.describe::<F, R>(field, Some(Tree::new())).map(|description| description.tree.unwrap_or(Tree::new()))
    }

    fn describe<F, R: Format<F>>(self, field: &F, tree: Option<Tree>) -> Result<Description, CodecError> {
        let mut out = Description::new(hash::key(), self.is_human_readable, tree);
        let top = Describe { out: &mut out, ty: R::type_name(), field: "", is_unordered: self.is_unordered };
        R::serialize(field, top)?;
        Ok(out)
    }
}

/// Asks a codec.
fn is_human_readable(codec: &impl Codec) -> bool {
    struct Ask(Cell<bool>);

    impl Serialize for Ask {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(serializer.is_human_readable());
            serializer.serialize_bool(true)
        }
    }

    let ask = Ask(Cell::new(true));
    // A codec that cannot encode a `bool` has answered all the same.
    let _ = codec.encode(&ask, &mut Vec::new());
    ask.0.get()
}

struct Encode<'a, C> {
    codec: &'a C,
    out: &'a mut Vec<u8>,
}

impl<C: Codec> ReadField for Encode<'_, C> {
    type Output = Result<(), CodecError>;

    fn read<F, R: Format<F>>(self, field: &F) -> Self::Output {
        to_bytes::<F, R>(self.codec, field, self.out)
    }
}

struct Differs<'a, C> {
    codec: &'a C,
    encoded: &'a [u8],
    baseline: Baseline<'a>,
}

impl<C: Codec> ReadField for Differs<'_, C> {
    type Output = bool;

    fn read<F, R: Format<F>>(self, field: &F) -> bool {
        let Self { codec, encoded, baseline } = self;
        // Other bytes can still be the same value: another build wrote them, or entries have no order. The user's
        // `PartialEq` is no judge of that, it may ignore parts of the value. What cannot be decoded has changed.
        let Ok(base) = from_bytes::<F, R>(codec, baseline.bytes) else { return true };
        let mut again = Vec::with_capacity(encoded.len());
        if to_bytes::<F, R>(codec, &base, &mut again).is_err() {
            return true;
        }
        if again == encoded {
            return false;
        }
        if C::POSITION_FREE && has_other_bytes(encoded, &again) {
            return true;
        }
        let Baseline { is_human_readable, is_unordered, .. } = baseline;
        let view = View { is_human_readable, is_unordered };
        let tree = |field: &F| view.tree::<F, R>(field).ok();
        let (Some(base), Some(mine)) = (tree(&base), tree(field)) else { return true };
        !same::same(&base, &mine, || tree(&from_bytes::<F, R>(codec, encoded).ok()?))
    }
}

struct Same<'a, C> {
    codec: &'a C,
    one: Baseline<'a>,
    other: &'a [u8],
}

impl<C: Codec> ReadField for Same<'_, C> {
    type Output = Result<bool, CodecError>;

    fn read<F, R: Format<F>>(self, _: &F) -> Self::Output {
        let other = from_bytes::<F, R>(self.codec, self.other)?;
        let mut encoded = Vec::with_capacity(self.other.len());
        to_bytes::<F, R>(self.codec, &other, &mut encoded)?;
        let differs = encoded != self.one.bytes
            && Differs { codec: self.codec, encoded: &encoded, baseline: self.one }.read::<F, R>(&other);
        Ok(!differs)
    }
}

struct IsPlain;

impl ReadField for IsPlain {
    type Output = bool;

    fn read<F, R: Format<F>>(self, _: &F) -> bool {
        names::is_plain(R::type_name())
    }
}

struct ReadBack<'a, C> {
    codec: &'a C,
    index: usize,
    encoded: &'a [u8],
    memory: &'a Memory,
}

impl<C: Codec> ReadField for ReadBack<'_, C> {
    type Output = Result<(), CodecError>;

    fn read<F, R: Format<F>>(self, field: &F) -> Self::Output {
        let Memory { is_human_readable, proven, .. } = self.memory;
        let view = View { is_human_readable: *is_human_readable, is_unordered: false };
        let print = view.print::<F, R>(field)?;
        let value = print ^ self.index as u64;
        if proven.has(value, self.encoded) {
            return Ok(());
        }
        let back = from_bytes::<F, R>(self.codec, self.encoded).map_err(|error| {
            CodecError::with_source("the value would not come back: what is stored of it could not be decoded", error)
        })?;
        if print == view.print::<F, R>(&back)? {
            proven.note(value, self.encoded);
            return Ok(());
        }
        back::compare(&view.tree::<F, R>(field)?, &view.tree::<F, R>(&back)?)
    }
}

struct Decode<'a, C> {
    codec: &'a C,
    bytes: &'a [u8],
}

impl<C: Codec> WriteField for Decode<'_, C> {
    type Output = Result<(), CodecError>;

    fn write<F, R: Format<F>>(self, field: &mut F, _: Option<Merge<F>>) -> Self::Output {
        *field = from_bytes::<F, R>(self.codec, self.bytes)?;
        Ok(())
    }
}

struct Merging<'a, C> {
    codec: &'a C,
    sides: Sides<'a>,
}

impl<C: Codec> WriteField for Merging<'_, C> {
    type Output = Result<bool, CodecError>;

    fn write<F, R: Format<F>>(self, field: &mut F, merge: Option<Merge<F>>) -> Self::Output {
        let Some(merge) = merge else { return Ok(false) };
        let of = |bytes| from_bytes::<F, R>(self.codec, bytes);
        *field = merge(&of(self.sides.base)?, of(self.sides.mine)?, of(self.sides.theirs)?);
        Ok(true)
    }
}

struct Merges;

impl WriteField for Merges {
    type Output = bool;

    fn write<F, R: Format<F>>(self, _: &mut F, merge: Option<Merge<F>>) -> bool {
        merge.is_some()
    }
}
