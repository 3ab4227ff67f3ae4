use crate::store::Ended;

/// Why no session is stored, as far as the store still knows: it keeps the header of an ended session for a while, an
/// hour unless [`retention`](crate::SessionsBuilder::retention) says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Absence {
    /// There was none, or so long ago that nothing tells of it.
    Never,
    /// All its fields went back to their initial values.
    Emptied,
    /// It was destroyed.
    Destroyed,
    /// It was moved to another key.
    Renewed,
    /// It expired.
    Expired,
}

impl From<Ended> for Absence {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Destroyed => Self::Destroyed,
            Ended::Renewed => Self::Renewed,
            Ended::Expired => Self::Expired,
            Ended::Replaced | Ended::Unknown => Self::Never,
        }
    }
}
