use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

/// The encoded value of a field, which is cheap to clone.
///
/// Most fields are small, and a session is copied out of its store with every load: up to [`FieldValue::INLINE`] bytes
/// stand in the value itself, so that a copy of it shares nothing, counts nothing and allocates nothing. Larger ones
/// are shared [`Bytes`].
///
/// ```
/// use session_runtime::store::FieldValue;
///
/// let value = FieldValue::from(r#""dark""#);
/// assert_eq!(*value, *b"\"dark\"");
/// assert_eq!(value.len(), 6);
/// ```
#[derive(Clone)]
pub struct FieldValue(Kept);

#[derive(Clone)]
enum Kept {
    Inline { len: u8, bytes: [u8; FieldValue::INLINE] },
    Shared(Bytes),
}

impl FieldValue {
    /// How many bytes stand in the value itself. A UUID in JSON has as many.
    pub const INLINE: usize = 38;

    fn inline(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::INLINE];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self(Kept::Inline { len: u8::try_from(value.len()).ok()?, bytes }))
    }
}

/// No bytes.
impl Default for FieldValue {
    fn default() -> Self {
        Self(Kept::Inline { len: 0, bytes: [0; Self::INLINE] })
    }
}

impl Deref for FieldValue {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Kept::Shared(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for FieldValue {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for FieldValue {
    #[inline]
    fn from(value: &[u8]) -> Self {
        Self::inline(value).unwrap_or_else(|| Self(Kept::Shared(Bytes::copy_from_slice(value))))
    }
}

impl From<&str> for FieldValue {
    fn from(value: &str) -> Self {
        value.as_bytes().into()
    }
}

/// Shares a large value, and copies a small one.
impl From<Bytes> for FieldValue {
    fn from(value: Bytes) -> Self {
        Self::inline(&value).unwrap_or_else(|| Self(Kept::Shared(value)))
    }
}

impl From<Vec<u8>> for FieldValue {
    fn from(value: Vec<u8>) -> Self {
        Self::inline(&value).unwrap_or_else(|| Self(Kept::Shared(value.into())))
    }
}

impl From<String> for FieldValue {
    fn from(value: String) -> Self {
        value.into_bytes().into()
    }
}

impl From<FieldValue> for Bytes {
    fn from(value: FieldValue) -> Self {
        match value.0 {
            Kept::Inline { .. } => Self::copy_from_slice(&value),
            Kept::Shared(bytes) => bytes,
        }
    }
}

/// Compares with everything that is bytes: another value, a text, a slice.
impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for FieldValue {
    #[inline]
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for FieldValue {}

/// Shows the length only: values can be secret.
impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_it_was_made_of_small_or_large() {
        for len in [0, 1, FieldValue::INLINE, FieldValue::INLINE + 1, 10_000] {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
            for value in [FieldValue::from(&*bytes), Bytes::from(bytes.clone()).into(), bytes.clone().into()] {
                assert_eq!(*value, *bytes);
                assert_eq!(value, value.clone());
                assert_eq!(Bytes::from(value.clone()), bytes);
                assert_eq!(matches!(value.0, Kept::Inline { .. }), len <= FieldValue::INLINE, "{len}");
                assert_eq!(format!("{value:?}"), format!("{len} bytes"));
            }
        }
        assert_eq!(*FieldValue::default(), *b"");
    }

    #[test]
    fn a_value_takes_forty_bytes_and_perhaps_a_value_no_more() {
        assert_eq!(size_of::<FieldValue>(), 40);
        assert_eq!(size_of::<Option<FieldValue>>(), 40);
    }
}
