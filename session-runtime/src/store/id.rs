use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl $name {
            /// A random one. Made by the client, because an engine's random numbers can repeat after a restart.
            #[must_use]
            pub fn random() -> Self {
                Self(rand::random())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:016x})", stringify!($name), self.0)
            }
        }
    };
}

id! {
    /// Names one life of a key: made when its record is created.
    Incarnation
}
id! {
    /// Names the bytes of one patch, so that it is applied once however often it is sent.
    CommitId
}
id! {
    /// Names one agreement on initial values.
    RegistrationId
}
