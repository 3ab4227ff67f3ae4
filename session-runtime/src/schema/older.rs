//! The versions before this one: which of them `from` reaches, and which it does not.

use crate::session::{Previous, Session};

/// How many versions below this one are looked for. Each is a question to the store, asked once by the first program
/// that brings a new version.
const LOOKED_FOR: u32 = 32;

/// The versions below that of `T` that no `from` leads to, newest first.
pub(crate) fn unreached<T: Session>() -> impl Iterator<Item = u32> {
    let (reached, own) = (reached::<T>(), T::CONTAINER.version);
    (own.saturating_sub(LOOKED_FOR)..own).rev().filter(move |older| !reached.contains(older))
}

/// The versions that `from` leads to, newest first.
pub(crate) fn reached<T: Session>() -> Vec<u32> {
    let mut versions = Vec::new();
    T::previous(Chain { own: T::CONTAINER.version, versions: &mut versions });
    versions
}

struct Chain<'a> {
    own: u32,
    versions: &'a mut Vec<u32>,
}

impl<T: Session> Previous<T> for Chain<'_> {
    type Output = ();

    fn from<Old: Session>(self)
    where
        T: From<Old>,
    {
        let version = Old::CONTAINER.version;
        // The derive sees to it that versions fall on the way back; a chain in a circle must end all the same.
        if version < self.own {
            self.versions.push(version);
            Old::previous(Chain { own: version, versions: self.versions });
        }
    }

    fn none(self) {}
}
