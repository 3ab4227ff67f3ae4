use super::id::{CommitId, WorkId};

/// The ids of the last commits of a key, newest first.
///
/// A lost answer can be asked for again while its commit is among them, and a piece of work is known to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commits {
    /// Those after the last one are zero.
    ids: [CommitId; Self::KEPT],
    len: usize,
}

impl Commits {
    /// How many ids are kept.
    pub const KEPT: usize = 8;

    /// The ids, newest first.
    pub fn iter(&self) -> impl Iterator<Item = CommitId> {
        self.ids.iter().take(self.len).copied()
    }

    /// Whether `id` is among them.
    #[must_use]
    pub fn contains(&self, id: CommitId) -> bool {
        self.iter().any(|kept| kept == id)
    }

    /// Whether one of them did this piece of work.
    #[must_use]
    pub fn have_done(&self, work: WorkId) -> bool {
        self.iter().any(|id| id.is_of(work))
    }

    /// These and a newer one; the oldest falls out.
    #[must_use]
    pub fn with(mut self, id: CommitId) -> Self {
        self.add(id);
        self
    }

    /// Adds a newer one; the oldest falls out.
    pub(crate) fn add(&mut self, id: CommitId) {
        self.ids.copy_within(..Self::KEPT - 1, 1);
        self.ids[0] = id;
        self.len = Self::KEPT.min(self.len + 1);
    }
}

impl Default for Commits {
    fn default() -> Self {
        Self { ids: [CommitId(0); Self::KEPT], len: 0 }
    }
}

/// The first [`Commits::KEPT`] ids, newest first.
impl FromIterator<CommitId> for Commits {
    fn from_iter<I: IntoIterator<Item = CommitId>>(ids: I) -> Self {
        let mut commits = Self::default();
        for (kept, id) in commits.ids.iter_mut().zip(ids) {
            *kept = id;
            commits.len += 1;
        }
        commits
    }
}
