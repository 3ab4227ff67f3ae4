//! The names of a session's fields.

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::hash::Hash;
use std::iter::MapWhile;
use std::marker::PhantomData;
use std::ops::RangeFrom;

/// The name of one tracked field of a session; the derive generates an enum of them.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use session_runtime::{Field, Session};
///
/// #[derive(Session)]
/// struct Visitor {
///     visits: u32,
///     #[session(rename = "colours")]
///     theme: String,
/// }
///
/// assert_eq!(VisitorField::Theme.name(), "colours");
/// assert_eq!(VisitorField::ALL, [VisitorField::Visits, VisitorField::Theme]);
/// # }
/// ```
pub trait Field: Copy + Eq + Hash + Debug + Send + Sync + 'static {
    /// All fields of the session: its own in the order of their declaration, then those of its nested sessions.
    const ALL: AllFields<Self> = AllFields(PhantomData);

    /// The name under which the field is stored; a nested session's fields have its own name in front, as in
    /// `prefs.theme`. `Debug` shows the same.
    fn name(self) -> Cow<'static, str>;

    /// The field's place among the tracked fields of its session.
    #[doc(hidden)]
    fn index(self) -> usize;

    /// The field at a place, if there is one.
    #[doc(hidden)]
    fn from_index(index: usize) -> Option<Self>;
}

/// All fields of a session, as [`Field::ALL`] gives them.
///
/// It is iterated over like an array. It is not a slice, because the fields of a nested session whose type is a
/// parameter are known too late for one.
#[derive(Clone, Copy)]
pub struct AllFields<F>(PhantomData<fn() -> F>);

type OneByOne<F> = MapWhile<RangeFrom<usize>, fn(usize) -> Option<F>>;

impl<F: Field> AllFields<F> {
    /// The fields, one by one.
    pub fn iter(self) -> OneByOne<F> {
        (0..).map_while(F::from_index)
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        F::from_index(0).is_none()
    }
}

impl<F: Field> IntoIterator for AllFields<F> {
    type Item = F;
    type IntoIter = OneByOne<F>;

    fn into_iter(self) -> OneByOne<F> {
        self.iter()
    }
}

impl<F: Field, const N: usize> PartialEq<[F; N]> for AllFields<F> {
    fn eq(&self, other: &[F; N]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

impl<F: Field> Debug for AllFields<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
