use std::fmt;

use sha2::{Digest, Sha256};

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

/// Names a piece of work that is to be done once, however often it is delivered: an update of a messenger, a request
/// with an `Idempotency-Key`, a message of a queue.
///
/// It is made of whatever names the work, as text or as a number, which is the same as its digits. One session tells its
/// pieces of work apart by it, so it needs to be unique among those only.
///
/// ```
/// use session_runtime::WorkId;
///
/// assert_eq!(WorkId::from(42_u32), WorkId::from("42"));
/// assert_ne!(WorkId::from("order-42"), WorkId::from("order-43"));
/// ```
///
/// What is kept is 48 bits of a hash: two names are taken for one with a probability of 2^-48.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkId(u64);

/// How many bits of a commit's id are random when the others name its work.
const RANDOM_BITS: u32 = 16;

impl CommitId {
    /// One that tells which work the commit does, and is still its own: each delivery of the work makes another.
    #[must_use]
    pub fn of(work: WorkId) -> Self {
        Self(work.0 << RANDOM_BITS | u64::from(rand::random::<u16>()))
    }

    /// Whether a commit with this id did that work.
    #[must_use]
    pub const fn is_of(self, work: WorkId) -> bool {
        self.0 >> RANDOM_BITS == work.0
    }
}

impl From<&str> for WorkId {
    fn from(name: &str) -> Self {
        let hash = Sha256::digest(name);
        let first = hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self(first >> RANDOM_BITS)
    }
}

impl From<&String> for WorkId {
    fn from(name: &String) -> Self {
        Self::from(name.as_str())
    }
}

macro_rules! work_of_numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for WorkId {
            fn from(number: $number) -> Self {
                Self::from(&number.to_string())
            }
        }
    )*};
}

work_of_numbers!(u32, i32, u64, i64, u128);

impl fmt::Debug for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkId({:012x})", self.0)
    }
}
