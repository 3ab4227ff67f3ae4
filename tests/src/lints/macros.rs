//! Structs that come out of a macro, whole or in parts.

use super::Names;

/// A struct with fields of its own and of who calls it.
macro_rules! counter {
    ($(#[$attr:meta])* $vis:vis $name:ident { $($(#[$field_attr:meta])* $field_vis:vis $field:ident: $ty:ty,)* }) => {
        /// Made by a macro.
        #[derive(Debug, session_runtime::Session)]
        $(#[$attr])*
        $vis struct $name {
            /// Of the macro.
            pub iter: u8,
            /// Of the macro, and a session.
            #[session(nested)]
            pub into_inner: Names,
            /// Of the macro, and pinned.
            #[session(initial = 3, pin)]
            pub clone: u8,
            $(
                /// Of the caller.
                $(#[$field_attr])*
                $field_vis $field: $ty,
            )*
        }
    };
}

counter! {
    #[session(name = "counter", version = 3)]
    pub Counter {
        #[session(merge = session_runtime::merge::add)]
        pub into: u32,
        #[session(unordered)]
        pub iter_mut: Vec<u8>,
        #[session(sensitive)]
        pub(crate) is_open: Option<bool>,
        eq: Vec<Self>,
    }
}

impl Counter {
    /// What the private fields hold.
    pub const fn private(&self) -> (Option<bool>, usize) {
        (self.is_open, self.eq.len())
    }
}

impl serde::Serialize for Counter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.iter)
    }
}

impl<'de> serde::Deserialize<'de> for Counter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let iter = u8::deserialize(deserializer)?;
        Ok(Self { iter, ..<Self as session_runtime::Session>::initial() })
    }
}

/// A struct of which the caller says nothing.
macro_rules! whole {
    () => {
        /// Made by a macro.
        #[derive(Debug, Clone, Copy, session_runtime::Session)]
        #[session(initial = Self { iter: 1, clone: 2, into: 3 })]
        pub struct Whole {
            /// Of the macro.
            pub iter: u8,
            /// Of the macro.
            pub clone: u8,
            /// Of the macro.
            pub into: u8,
        }
    };
}

whole!();
