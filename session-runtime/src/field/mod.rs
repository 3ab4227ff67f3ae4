//! What is done with a field once its type is known: each function here is compiled once per field type.

mod entries;

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::codec::{Codec, CodecError};
use crate::session::{Format, Merge, ReadField, Session, WriteField};

/// Appends the encoding of a field of `session` to `out`.
pub(crate) fn encode<T: Session, C: Codec>(
    codec: &C,
    session: &T,
    index: usize,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    T::read(session, index, Encode { codec, out }).unwrap_or_else(|| Err(no_such_field()))
}

/// Encodes a field of `session` into `out`, which is empty, and tells whether that differs from `baseline`.
pub(crate) fn examine<T: Session, C: Codec>(
    codec: &C,
    session: &T,
    index: usize,
    unordered: bool,
    baseline: &[u8],
    out: &mut Vec<u8>,
) -> Result<bool, CodecError> {
    T::read(session, index, Examine { codec, unordered, baseline, out }).unwrap_or_else(|| Err(no_such_field()))
}

/// Whether two encodings stand for the same value of a field.
pub(crate) fn same<T: Session, C: Codec>(
    codec: &C,
    session: &T,
    index: usize,
    unordered: bool,
    one: &[u8],
    other: &[u8],
) -> Result<bool, CodecError> {
    T::read(session, index, Same { codec, unordered, one, other }).unwrap_or_else(|| Err(no_such_field()))
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
        R::deserialize(deserializer).map(|field| Self(field, PhantomData))
    }
}

fn by_format<F, R: Format<F>>(field: &F) -> ByFormat<'_, F, R> {
    ByFormat(field, PhantomData)
}

fn from_format<F, R: Format<F>>(codec: &impl Codec, bytes: &[u8]) -> Result<F, CodecError> {
    codec.decode::<FromFormat<F, R>>(bytes).map(|decoded| decoded.0)
}

struct Encode<'a, C> {
    codec: &'a C,
    out: &'a mut Vec<u8>,
}

impl<C: Codec> ReadField for Encode<'_, C> {
    type Output = Result<(), CodecError>;

    fn read<F, R: Format<F>>(self, field: &F) -> Self::Output {
        self.codec.encode(&by_format::<F, R>(field), self.out)
    }
}

struct Examine<'a, C> {
    codec: &'a C,
    unordered: bool,
    baseline: &'a [u8],
    out: &'a mut Vec<u8>,
}

impl<C: Codec> ReadField for Examine<'_, C> {
    type Output = Result<bool, CodecError>;

    fn read<F, R: Format<F>>(self, field: &F) -> Self::Output {
        let field = by_format::<F, R>(field);
        self.codec.encode(&field, self.out)?;
        if self.out == self.baseline {
            return Ok(false);
        }
        // Other bytes can still be the same value: another build wrote them, or entries have no order. The user's
        // `PartialEq` is no judge of that, it may ignore parts of the value. What cannot be decoded has changed.
        let Ok(baseline) = from_format::<F, R>(self.codec, self.baseline) else { return Ok(true) };
        let baseline = by_format::<F, R>(&baseline);
        let len = self.out.len();
        self.codec.encode(&baseline, self.out)?;
        let (mine, again) = self.out.split_at(len);
        let differs = mine != again && !(self.unordered && entries::same(self.codec, &baseline, &field));
        self.out.truncate(len);
        Ok(differs)
    }
}

struct Same<'a, C> {
    codec: &'a C,
    unordered: bool,
    one: &'a [u8],
    other: &'a [u8],
}

impl<C: Codec> ReadField for Same<'_, C> {
    type Output = Result<bool, CodecError>;

    fn read<F, R: Format<F>>(self, _: &F) -> Self::Output {
        let other = from_format::<F, R>(self.codec, self.other)?;
        let mut out = Vec::with_capacity(self.other.len());
        Examine { codec: self.codec, unordered: self.unordered, baseline: self.one, out: &mut out }
            .read::<F, R>(&other)
            .map(|differs| !differs)
    }
}

struct Decode<'a, C> {
    codec: &'a C,
    bytes: &'a [u8],
}

impl<C: Codec> WriteField for Decode<'_, C> {
    type Output = Result<(), CodecError>;

    fn write<F, R: Format<F>>(self, field: &mut F, _: Option<Merge<F>>) -> Self::Output {
        *field = from_format::<F, R>(self.codec, self.bytes)?;
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
        let of = |bytes| from_format::<F, R>(self.codec, bytes);
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
