//! The store under the network: the commit rule on one map, at a time that the simulation decides.

use std::collections::BTreeMap;

use session_runtime::expiry::Timestamp;
use session_runtime::store::rule::{self, Commits, Header, State};
use session_runtime::store::{
    Action, Applied, Base, Commit, CommitId, Ended, Found, Key, Load, Loaded, Reply, StoredField,
};

/// What keeps a store from breaking promises, and can be taken out to see whether that is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingredient {
    /// A change is applied only to the revision that it is based on.
    Revision,
    /// A change is applied only to the life of the key that it is based on.
    Incarnation,
    /// A commit that was applied is known by its id.
    CommitIds,
    /// A record remembers what its creator saw.
    Origin,
    /// A session that was emptied leaves its header.
    EmptiedHeader,
    /// A session that was destroyed leaves its header.
    DestroyedHeader,
    /// A session that was renewed leaves its header.
    RenewedHeader,
    /// A renewal does not replace the session of another.
    Occupied,
    /// What has expired is not there.
    Expiry,
    /// A session that is not stored expires too.
    ExpiryOfAbsent,
    /// A load moves the end of a session in use.
    Touch,
    /// A write changes only the fields it names.
    OtherFields,
    /// A write changes all the fields it names.
    AllFields,
    /// What was acknowledged is kept.
    Durability,
}

pub type Sessions = BTreeMap<Key, (Header, Vec<StoredField>)>;

#[derive(Debug, Default)]
pub struct Engine {
    pub sessions: Sessions,
    without: Option<Ingredient>,
}

impl Engine {
    pub fn new(without: Option<Ingredient>) -> Self {
        Self { sessions: Sessions::new(), without }
    }

    pub fn is_without(&self, ingredient: Ingredient) -> bool {
        self.without == Some(ingredient)
    }

    /// Whether the key holds a session or the header of one that was emptied.
    pub fn is_live(&self, key: &Key, now: Timestamp) -> bool {
        self.header(key).is_some_and(|header| header.is_live(now))
    }

    pub fn fields(&self, key: &Key) -> &[StoredField] {
        self.sessions.get(key).map_or(&[], |(_, fields)| fields)
    }

    /// What is there, as this store sees it: without a header's end if it does not know of ends.
    fn header(&self, key: &Key) -> Option<Header> {
        let mut header = self.sessions.get(key)?.0;
        if self.is_without(Ingredient::Expiry) {
            header.head.expires_at = None;
        }
        if self.is_without(Ingredient::CommitIds) {
            header.commits = Commits::default();
        }
        Some(header)
    }

    pub fn load(&mut self, key: &Key, load: Load, now: Timestamp) -> Loaded {
        let Some(header) = self.header(key) else {
            return Loaded { now, touched: false, found: Found::Absent { saw: None } };
        };
        if !header.is_live(now) {
            let saw = Some(header.past());
            return Loaded { now, touched: false, found: Found::Absent { saw } };
        }
        let touched = load.lifetime.and_then(|lifetime| header.touched(&lifetime, now));
        let touched = touched.filter(|_| !self.is_without(Ingredient::Touch));
        if let Some((header, _)) = self.sessions.get_mut(key) {
            *header = touched.unwrap_or(*header);
        }
        let record = touched.unwrap_or(header).record(self.fields(key).to_vec());
        Loaded { now, touched: touched.is_some(), found: Found::Record(record) }
    }

    pub fn commit(&mut self, key: &Key, commit: &Commit, now: Timestamp) -> Reply {
        let header = self.header(key);
        let mut fields = self.fields(key).to_vec();
        let Ok(refusal) = rule::decide(header.as_ref(), &self.weakened(commit, header.as_ref(), now), now)
            .refusal(|| Ok::<_, std::convert::Infallible>(fields.clone()));
        if let Some(reply) = refusal {
            return reply;
        }
        if let Action::Renew { to, .. } = &commit.action
            && rule::is_occupied(self.header(to).as_ref(), now)
            && !self.is_without(Ingredient::Occupied)
        {
            return Reply::Occupied;
        }

        let live = header.filter(|header| header.is_live(now));
        if live.is_none() || commit.write().is_none_or(|write| write.replace) {
            fields.clear();
        }
        let changes = commit.changes();
        let kept = changes.len().min(if self.is_without(Ingredient::AllFields) { 1 } else { usize::MAX });
        if self.is_without(Ingredient::OtherFields) && kept > 0 {
            fields.clear();
        }
        for change in &changes[..kept] {
            fields.retain(|field| field.name != change.name);
            fields.extend(change.value.clone().map(|value| StoredField { name: change.name.clone(), value }));
        }
        let Some(next) = rule::next(header.as_ref(), commit, fields.is_empty(), now) else {
            return Reply::Ended(Ended::Unknown);
        };
        let head = match &commit.action {
            Action::Write(_) | Action::Destroy => {
                self.keep(key, &next, fields);
                (!commit.is_destruction()).then_some(next.head)
            }
            Action::Renew { to, write } => {
                let renewed = rule::renewed(&next, self.header(to).as_ref(), commit, write, fields.is_empty(), now);
                self.keep(key, &next, Vec::new());
                self.keep(to, &renewed, fields);
                Some(renewed.head)
            }
        };
        let was_stored = live.is_some_and(|header| header.head.stored);
        let is_stored = head.is_some_and(|head| head.stored);
        Reply::Applied(Applied { head, was_stored, is_stored, repeated: false })
    }

    fn keep(&mut self, key: &Key, header: &Header, fields: Vec<StoredField>) {
        let forgets = match header.state {
            State::Stored => None,
            State::Emptied => Some(Ingredient::EmptiedHeader),
            State::Destroyed => Some(Ingredient::DestroyedHeader),
            State::Renewed => Some(Ingredient::RenewedHeader),
        };
        if forgets.is_some() && forgets == self.without {
            self.sessions.remove(key);
        } else {
            self.sessions.insert(key.clone(), (*header, fields));
        }
    }

    /// The commit as a store without the ingredient takes it.
    fn weakened(&self, commit: &Commit, header: Option<&Header>, now: Timestamp) -> Commit {
        let mut commit = commit.clone();
        let live = header.filter(|header| header.is_live(now));
        match (self.without, &mut commit.base, live) {
            (Some(Ingredient::Revision), Base::Record { incarnation, revision, last_commit }, Some(header))
                if header.head.incarnation == *incarnation =>
            {
                (*revision, *last_commit) = (header.head.revision, header.head.last_commit);
            }
            (Some(Ingredient::Incarnation), Base::Record { incarnation, .. }, Some(header)) => {
                *incarnation = header.head.incarnation;
            }
            (Some(Ingredient::Origin), Base::Absent { saw, .. }, Some(header)) => *saw = header.origin,
            (Some(Ingredient::ExpiryOfAbsent), Base::Absent { valid_until, .. }, _) => *valid_until = None,
            (Some(Ingredient::CommitIds), ..) => commit.id = CommitId::random(),
            _ => {}
        }
        commit
    }

    /// Forgets the headers whose time is over, and says which.
    pub fn purge(&mut self, now: Timestamp) -> Vec<Key> {
        let purged: Vec<Key> = self
            .sessions
            .iter()
            .filter(|(_, (header, _))| header.is_purgeable(now))
            .map(|(key, _)| key.clone())
            .collect();
        for key in &purged {
            self.sessions.remove(key);
        }
        purged
    }
}
