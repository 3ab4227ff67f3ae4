//! What a store must hold, told without bytes, ids or patches.

use session_runtime::Error;
use session_tests::Fault;

/// The values of a session: a plain field, one that begins at seven, one that adds up, and one that rejects.
pub type Values = [i64; 4];

const SUM: usize = 2;
const OWNER: usize = 3;

/// How many commits later a lost one can still be told apart.
const KEPT: u64 = 8;

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    Lost,
    Conflict,
    Destroyed,
    Unknown,
}

impl Answer {
    pub fn of(committed: Result<(), Error>) -> Self {
        match committed {
            Ok(()) => Self::Done,
            Err(Error::Store(_)) => Self::Lost,
            Err(Error::Conflict { .. }) => Self::Conflict,
            Err(Error::Destroyed) => Self::Destroyed,
            Err(Error::OutcomeUnknown) => Self::Unknown,
            Err(error) => panic!("no commit of this model ends like this: {error:?}"),
        }
    }
}

/// One life of the key, from its first commit to its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life(u32);

/// What a handler's view is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base(Known);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// No session, after this life of the key.
    Absence(Option<Life>),
    /// A life of the key after so many commits.
    Record(Life, u64),
}

/// The key.
#[derive(Debug, Clone, Copy)]
struct Current {
    life: Life,
    /// What was there before this life.
    origin: Option<Life>,
    commits: u64,
    /// How many commits the life had seen when it ended, if it has.
    ended: bool,
}

pub struct Truth {
    pub values: Values,
    initial: Values,
    current: Option<Current>,
    lives: u32,
}

/// What the model knows of a handler.
#[derive(Debug, Clone)]
pub struct Actor {
    pub base: Base,
    pub old: Values,
    pub now: Values,
    frozen: Option<Frozen>,
}

/// A change whose answer is missing.
#[derive(Debug, Clone, Copy)]
struct Frozen {
    fields: [bool; 4],
    values: Values,
    /// If it was applied, what it made.
    applied: Option<(Life, u64)>,
}

/// What comes of sending a change.
enum Sent {
    Applied(Known),
    Overtaken,
    Ended,
    Unknown,
}

impl Actor {
    pub fn is_dirty(&self, place: usize) -> bool {
        self.now[place] != self.old[place] || self.frozen.is_some_and(|frozen| frozen.fields[place])
    }

    /// A change of everything that differs.
    fn freeze(&self) -> Option<Frozen> {
        let fields = std::array::from_fn(|place| self.now[place] != self.old[place]);
        fields.contains(&true).then_some(Frozen { fields, values: self.now, applied: None })
    }

    fn settle(&mut self, frozen: Frozen, base: Known) {
        self.base = Base(base);
        for place in (0..4).filter(|&place| frozen.fields[place]) {
            self.old[place] = frozen.values[place];
        }
    }
}

impl Truth {
    pub fn new(initial: Values) -> Self {
        Self { values: initial, initial, current: None, lives: 0 }
    }

    pub fn load(&self) -> Actor {
        let known = match self.current {
            None => Known::Absence(None),
            Some(Current { life, ended: true, .. }) => Known::Absence(Some(life)),
            Some(Current { life, commits, .. }) => Known::Record(life, commits),
        };
        Actor { base: Base(known), old: self.values, now: self.values, frozen: None }
    }

    /// Commits, with a fault of the first change that is sent.
    pub fn commit(&mut self, actor: &mut Actor, mut fault: Option<Fault>) -> Answer {
        let mut resent = true;
        loop {
            let frozen = match actor.frozen.take() {
                Some(frozen) => frozen,
                None => match actor.freeze() {
                    Some(frozen) => {
                        resent = false;
                        frozen
                    }
                    None => return Answer::Done,
                },
            };
            let had_frozen = resent;
            let fault = fault.take();
            if let Some(fault) = fault {
                return self.lose(actor, frozen, fault, resent);
            }
            match self.send(actor.base.0, frozen, resent) {
                Sent::Applied(base) => {
                    actor.settle(frozen, base);
                    if !had_frozen {
                        return Answer::Done;
                    }
                }
                Sent::Overtaken => {
                    if let Some(answer) = self.rebase(actor) {
                        return answer;
                    }
                }
                Sent::Ended => return Answer::Destroyed,
                Sent::Unknown => {
                    actor.frozen = Some(frozen);
                    return Answer::Unknown;
                }
            }
            resent = false;
        }
    }

    /// The first change that is sent fails like this.
    fn lose(&mut self, actor: &mut Actor, mut frozen: Frozen, fault: Fault, resent: bool) -> Answer {
        if matches!(fault, Fault::LostAfter | Fault::StuckAfter)
            && frozen.applied.is_none()
            && let Sent::Applied(Known::Record(life, commits)) = self.send(actor.base.0, frozen, resent)
        {
            frozen.applied = Some((life, commits));
        }
        // What was refused for certain need not be settled, unless it was sent before.
        if fault != Fault::Refused || resent {
            actor.frozen = Some(frozen);
        }
        Answer::Lost
    }

    fn send(&mut self, base: Known, frozen: Frozen, resent: bool) -> Sent {
        if let (Some((life, commits)), Some(current)) = (frozen.applied, self.current) {
            if current.life != life {
                return Sent::Ended;
            }
            let later = current.commits - commits;
            return match current.ended {
                _ if later < KEPT => Sent::Applied(Known::Record(life, commits)),
                true => Sent::Ended,
                false => Sent::Unknown,
            };
        }
        match (base, self.current) {
            (Known::Record(life, commits), Some(current)) if current.life == life && !current.ended => {
                if current.commits == commits {
                    self.apply(frozen)
                } else {
                    overtaken(current.commits - commits, resent)
                }
            }
            (Known::Record(..), _) => Sent::Ended,
            (Known::Absence(saw), Some(current)) if !current.ended => {
                if current.origin == saw {
                    overtaken(current.commits, resent)
                } else {
                    Sent::Ended
                }
            }
            (Known::Absence(saw), current) => {
                if current.map(|current| current.life) != saw {
                    return Sent::Ended;
                }
                self.lives += 1;
                self.current = Some(Current { life: Life(self.lives), origin: saw, commits: 0, ended: false });
                self.apply(frozen)
            }
        }
    }

    fn apply(&mut self, frozen: Frozen) -> Sent {
        let Some(current) = &mut self.current else { return Sent::Ended };
        current.commits += 1;
        for place in (0..4).filter(|&place| frozen.fields[place]) {
            self.values[place] = frozen.values[place];
        }
        Sent::Applied(Known::Record(current.life, current.commits))
    }

    /// Puts what an actor changed on top of what others did; an answer if that is refused.
    fn rebase(&self, actor: &mut Actor) -> Option<Answer> {
        let mine = |actor: &Actor, place: usize| actor.now[place] != actor.old[place];
        if mine(actor, OWNER) && self.values[OWNER] != actor.old[OWNER] {
            return Some(Answer::Conflict);
        }
        for place in 0..4 {
            let theirs = self.values[place];
            if !mine(actor, place) {
                actor.now[place] = theirs;
            } else if place == SUM {
                actor.now[SUM] = theirs + actor.now[SUM] - actor.old[SUM];
            }
            actor.old[place] = theirs;
        }
        actor.base = self.load().base;
        None
    }

    pub fn is_live_for(&self, Base(base): Base) -> bool {
        self.current.is_some_and(|current| {
            !current.ended
                && match base {
                    Known::Record(life, _) => current.life == life,
                    Known::Absence(saw) => current.origin == saw,
                }
        })
    }

    /// The actor's session ends, if it has not. A change whose answer is missing is settled first.
    pub fn destroy(&mut self, actor: &mut Actor) {
        if let Some(frozen) = actor.frozen.take()
            && let Sent::Applied(base) = self.send(actor.base.0, frozen, true)
        {
            actor.base = Base(base);
        }
        if self.is_live_for(actor.base)
            && let Some(current) = &mut self.current
        {
            current.commits += 1;
            current.ended = true;
            self.values = self.initial;
        }
    }

    /// Whether an actor's lost change is so long ago that nobody can tell what became of it.
    pub fn is_long_ago(&self, actor: &Actor) -> bool {
        let commits = self.current.map_or(0, |current| current.commits);
        let based_on = match actor.base.0 {
            Known::Absence(_) => 0,
            Known::Record(_, commits) => commits,
        };
        // A life before this one may have had more commits: that it is over is told otherwise.
        actor.frozen.is_some() && commits.saturating_sub(based_on) > KEPT
    }
}

fn overtaken(later: u64, resent: bool) -> Sent {
    if resent && later > KEPT { Sent::Unknown } else { Sent::Overtaken }
}
