use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The stored name of a field, dotted if it is one of a nested session.
///
/// It is cheap to clone: a short one stands in the value itself, a long one is shared.
///
/// ```
/// use session_runtime::store::FieldName;
///
/// let name = FieldName::from("cart.items");
/// assert_eq!(&*name, "cart.items");
/// assert_eq!(name.to_string(), "cart.items");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldName(SmolStr);

impl FieldName {
    /// A name that stands in the program.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self(SmolStr::new_static(name))
    }
}

impl Deref for FieldName {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for FieldName {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for FieldName {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&str> for FieldName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for FieldName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
