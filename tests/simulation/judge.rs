//! Whether a history keeps the promises.
//!
//! The judge goes through the events once and keeps a model of its own: what each key holds, and which life of the key
//! that is. A life ends when the session is destroyed, renewed or expires, and one begins at the new key of a renewal.
//! It knows nothing of headers, revisions or ids; the store's word counts only for the order in which things happened.

use super::history::{Answer, Done, Failure, History, Settings, Verb, What};
use super::visitor::{Edits, OWNER, REGISTER_NAMES, REGISTERS, View};

/// How many milliseconds a store remembers what ended at least. Who saw nothing can store something as long, and not
/// longer, since nobody could tell then whether something came and went meanwhile.
const TRACED: i64 = 3_600_000;

/// Which life of a key; no two lives of any keys have the same.
type Life = usize;

#[derive(Debug, Clone)]
struct Place {
    life: Life,
    /// The session, or what an emptied one left.
    record: Option<Record>,
    /// How often the store forgot what it knew of this key's past.
    purges: usize,
}

#[derive(Debug, Clone)]
struct Record {
    view: View,
    created: i64,
    /// It ends no sooner than at the first, and no later than at the second, since not every load moves the end.
    ends: Option<(i64, i64)>,
}

/// What a handler holds.
#[derive(Debug, Default)]
struct Holder {
    base: Base,
    changes: Vec<Changed>,
    /// For each field that was changed, the value before.
    before: [Option<u32>; REGISTERS],
    /// The fields that others had changed before, and the handler was not told.
    is_replacing: [bool; REGISTERS],
    /// The fields in which the changes overwrote what others had written, and the handler was not told yet.
    overwritten: [bool; REGISTERS],
    /// What its last change left, or what stood in the way of that, as long as the handler was not told.
    left: Option<View>,
    /// The sessions that its renewals made.
    moved: Vec<Base>,
    /// There was nothing that it could have destroyed.
    found_nothing: bool,
    /// It was told that what it wants to change is out of reach.
    is_over: bool,
}

/// What a handler's session is based on.
#[derive(Debug, Clone, Copy, Default)]
struct Base {
    key: usize,
    life: Life,
    purges: usize,
    /// If nothing was there: until when it can be stored.
    absent_until: Option<i64>,
}

#[derive(Debug)]
struct Changed {
    edits: Edits,
    is_applied: bool,
    is_acknowledged: bool,
}

#[derive(Debug)]
struct Call<'a> {
    handler: usize,
    verb: &'a Verb,
    holder: usize,
    /// What the closure of an update saw and made when it ran last.
    ran: Option<(&'a View, &'a View)>,
    /// What the load found whose answer came.
    loaded: Option<&'a View>,
    /// Whether the last run of the closure is stored.
    is_stored: bool,
}

#[derive(Debug)]
struct Request<'a> {
    call: usize,
    holder: usize,
    base: Base,
    /// How many changes of the holder it can contain.
    changes: usize,
    ran: Option<(&'a View, &'a View)>,
    is_applied: bool,
    moved: Option<Base>,
}

struct Judge<'a> {
    history: &'a History,
    settings: &'a Settings,
    places: Vec<Place>,
    lives: usize,
    holders: Vec<Holder>,
    /// What each handler holds.
    held: Vec<usize>,
    calls: Vec<Call<'a>>,
    requests: Vec<Request<'a>>,
    /// What the loads of these events found.
    found: Vec<(usize, Base)>,
    at: i64,
}

/// What is wrong, and with which event.
pub fn judge(history: &History) -> Result<(), String> {
    let settings = &history.settings;
    let place = |key| Place { life: key, record: None, purges: 0 };
    let mut judge = Judge {
        history,
        settings,
        places: (0..settings.keys).map(place).collect(),
        lives: settings.keys,
        holders: Vec::new(),
        held: vec![0; settings.handlers + 1],
        calls: Vec::new(),
        requests: Vec::new(),
        found: Vec::new(),
        at: 0,
    };
    let undone = undone(history);
    for (number, event) in history.events.iter().enumerate() {
        judge.at = event.at;
        judge.see(number, &event.what, &undone).map_err(|wrong| format!("event {number}: {wrong}"))?;
    }
    Ok(())
}

/// Which events the store took back when it started again.
fn undone(history: &History) -> Vec<bool> {
    let mut undone = vec![false; history.events.len()];
    for (number, event) in history.events.iter().enumerate() {
        if let What::Restarted { undone_from: Some(from) } = event.what {
            undone[from..number].fill(true);
        }
    }
    undone
}

impl<'a> Judge<'a> {
    fn see(&mut self, number: usize, what: &'a What, undone: &[bool]) -> Result<(), String> {
        match what {
            What::Called { handler, verb, .. } => self.called(*handler, verb),
            What::Ran { call, saw, made } => self.calls[*call].ran = Some((saw, made)),
            What::Sent { call, again: false, .. } => self.sent(*call),
            What::Sent { .. } | What::Restarted { .. } => {}
            // Nobody heard of it, and it left nothing behind.
            What::Handled { .. } | What::Purged { .. } if undone[number] => {}
            What::Handled { request, live, done } => return self.handled(number, *request, *live, done),
            What::Purged { key } => self.places[*key].purges += 1,
            What::Answered { event, .. } if undone[*event] => {
                return Err(format!("what was acknowledged is lost: event {event}"));
            }
            What::Answered { call, request, event } => self.answered(*call, *request, *event),
            What::Returned { call, answer } => return self.returned(*call, answer),
        }
        Ok(())
    }

    fn called(&mut self, handler: usize, verb: &'a Verb) {
        if matches!(verb, Verb::Load { .. } | Verb::Update { .. }) {
            self.holders.push(Holder::default());
        }
        let holder = match verb {
            Verb::Update { .. } => self.holders.len() - 1,
            Verb::Load { .. } => {
                self.held[handler] = self.holders.len() - 1;
                self.held[handler]
            }
            Verb::Commit { edits, shown } | Verb::Renew { edits, shown, .. } => {
                self.holders[self.held[handler]].change(edits, shown);
                self.held[handler]
            }
            Verb::Destroy => self.held[handler],
        };
        self.calls.push(Call { handler, verb, holder, ran: None, loaded: None, is_stored: false });
    }

    fn sent(&mut self, call: usize) {
        let Call { holder, ran, .. } = self.calls[call];
        let Holder { base, changes, .. } = &self.holders[holder];
        let (base, changes) = (*base, changes.len());
        self.requests.push(Request { call, holder, base, changes, ran, is_applied: false, moved: None });
    }

    fn handled(&mut self, number: usize, request: usize, live: bool, done: &'a Done) -> Result<(), String> {
        match done {
            Done::Loaded { key, view } => {
                self.look(*key, live)?;
                self.shows(*key, view)?;
                self.found.push((number, self.base(*key, live)));
                self.touch(*key, self.calls[self.requests[request].call].handler);
                Ok(())
            }
            Done::Wrote { key, view } => {
                self.look(*key, live)?;
                self.apply(request, *key, view)?;
                let created = self.places[*key].record.as_ref().map_or(self.at, |record| record.created);
                self.places[*key].record = Some(self.record(view, created));
                Ok(())
            }
            Done::Moved { key, to, to_live, view } => {
                self.look(*key, live)?;
                self.look(*to, *to_live)?;
                if self.is_stored(*to) {
                    return Err(format!("a renewal replaces the session of key {to}"));
                }
                self.apply(request, *key, view)?;
                let created = self.places[*key].record.as_ref().map_or(self.at, |record| record.created);
                self.end(*key);
                self.end(*to);
                self.places[*to].record = Some(self.record(view, created));
                let moved = self.base(*to, true);
                self.requests[request].moved = Some(moved);
                self.holders[self.requests[request].holder].moved.push(moved);
                Ok(())
            }
            Done::Destroyed { key } => {
                self.look(*key, live)?;
                self.may_apply(request, *key)?;
                self.end(*key);
                Ok(())
            }
            Done::Nothing { key } => {
                self.look(*key, live)?;
                let place = &self.places[*key];
                if place.record.is_some() && place.life == self.requests[request].base.life {
                    return Err(format!("the session of key {key} was not found, and not destroyed"));
                }
                self.holders[self.requests[request].holder].found_nothing = true;
                Ok(())
            }
            Done::Repeated { .. } if self.requests[request].is_applied => Ok(()),
            Done::Repeated { .. } => Err("what was never done is said to have been done before".to_owned()),
            Done::Looked { key, view } | Done::Found { key, view } | Done::Conflict { key, view } => {
                self.look(*key, live)?;
                self.shows(*key, view)
            }
            Done::Ended { key } => {
                self.look(*key, live)?;
                let (base, place) = (self.requests[request].base, &self.places[*key]);
                // What others stored in time goes on, also for those who saw nothing before.
                let stored_at = place.record.as_ref().map_or(self.at, |record| record.created);
                let expired = base.absent_until.is_some_and(|until| until <= stored_at);
                if base.life == place.life && base.purges == place.purges && !expired {
                    return Err(format!("a handler is refused, but nothing has ended at key {key}"));
                }
                Ok(())
            }
            Done::Occupied { to, to_live } => {
                self.look(*to, *to_live)?;
                if !self.is_stored(*to) {
                    return Err(format!("a renewal is refused, but key {to} holds no session"));
                }
                Ok(())
            }
        }
    }

    /// Compares whether something is there with whether something must be.
    fn look(&mut self, key: usize, live: bool) -> Result<(), String> {
        let (at, place) = (self.at, &mut self.places[key]);
        let Some(record) = &mut place.record else {
            return if live { Err(format!("something is at key {key}, where nothing can be")) } else { Ok(()) };
        };
        match &mut record.ends {
            Some((_, latest)) if *latest <= at && live => {
                return Err(format!("the session of key {key} is still there after its end at {latest} ms"));
            }
            Some((earliest, _)) if *earliest <= at => {
                if live {
                    *earliest = at + 1;
                } else {
                    self.end(key);
                }
            }
            _ if live => {}
            _ if record.view.is_initial() && place.purges > 0 => place.record = None,
            _ => return Err(format!("the session of key {key} is gone before its end")),
        }
        Ok(())
    }

    /// Compares what is there with what must be.
    fn shows(&self, key: usize, view: &View) -> Result<(), String> {
        let expected = self.view(key);
        if *view == expected { Ok(()) } else { Err(format!("key {key} holds {view}, and must hold {expected}")) }
    }

    fn view(&self, key: usize) -> View {
        self.places[key].record.as_ref().map(|record| record.view.clone()).unwrap_or_default()
    }

    fn is_stored(&self, key: usize) -> bool {
        self.places[key].record.as_ref().is_some_and(|record| !record.view.is_initial())
    }

    /// What one who loads a key now knows.
    fn base(&self, key: usize, live: bool) -> Base {
        let Place { life, purges, .. } = self.places[key];
        let known_until = self.at + TRACED;
        let absent_until = (!live).then(|| self.ends(self.at).map_or(known_until, |end| end.min(known_until)));
        Base { key, life, purges, absent_until }
    }

    /// When a session ends that was created then and is used now.
    fn ends(&self, created: i64) -> Option<i64> {
        let idle = self.settings.inactivity.map(|inactivity| self.at + inactivity);
        let old = self.settings.creation.map(|creation| created + creation);
        idle.into_iter().chain(old).min()
    }

    fn record(&self, view: &View, created: i64) -> Record {
        Record { view: view.clone(), created, ends: self.ends(created).map(|end| (end, end)) }
    }

    /// A load moves the end of a session, unless that would move it too little.
    fn touch(&mut self, key: usize, handler: usize) {
        let touch_after = self.settings.touch_after[handler % self.settings.instances];
        let end = self.places[key].record.as_ref().and_then(|record| self.ends(record.created));
        if let Some((earliest, latest)) = self.places[key].record.as_mut().and_then(|record| record.ends.as_mut())
            && let Some(end) = end
        {
            *earliest = (*earliest).max(end - touch_after + 1);
            *latest = (*latest).max(end);
        }
    }

    /// The life of a key is over.
    fn end(&mut self, key: usize) {
        self.lives += 1;
        self.places[key].life = self.lives;
        self.places[key].record = None;
    }

    /// A request changes the session of a key, if it may.
    fn may_apply(&mut self, request: usize, key: usize) -> Result<(), String> {
        let (at, place) = (self.at, &self.places[key]);
        let request = &mut self.requests[request];
        let Base { life, absent_until, .. } = request.base;
        if life != place.life {
            return Err(format!("a session that has ended comes back at key {key}"));
        }
        if place.record.is_none() && absent_until.is_some_and(|until| until <= at) {
            return Err(format!("a session of key {key} that was not stored in time is stored after all"));
        }
        if std::mem::replace(&mut request.is_applied, true) {
            return Err(format!("a change is applied to key {key} once more"));
        }
        if self.holders[request.holder].is_over {
            return Err(format!("a change is applied to key {key} after its handler was told that it is not"));
        }
        Ok(())
    }

    /// A request makes `view` of the session of a key.
    fn apply(&mut self, request: usize, key: usize, view: &View) -> Result<(), String> {
        self.may_apply(request, key)?;
        let before = self.view(key);
        let Request { call, holder, changes, ran, .. } = self.requests[request];
        if matches!(self.calls[call].verb, Verb::Update { .. }) {
            let (saw, made) = ran.ok_or("an update is stored that never ran")?;
            if *saw != before {
                return Err(format!("an update ran on {saw}, and is applied to {before}"));
            }
            if made != view {
                return Err(format!("an update made {made}, and {view} is stored"));
            }
            self.calls[call].is_stored = ran == self.calls[call].ran;
            return Ok(());
        }
        self.holders[holder].apply(changes, &before, view)
    }

    fn answered(&mut self, call: usize, request: usize, event: usize) {
        let What::Handled { done, .. } = &self.history.events[event].what else { return };
        let found = self.found.iter().find(|(number, _)| *number == event).map(|(_, base)| *base);
        let moved = self.requests[request].moved;
        let holder = &mut self.holders[self.calls[call].holder];
        match done {
            Done::Loaded { view, .. } => {
                holder.base = found.unwrap_or_default();
                self.calls[call].loaded = Some(view);
            }
            // It finds out that its renewal was done, whose answer it does not have.
            Done::Looked { key, .. } => {
                if let Some(moved) = holder.moved.last().filter(|moved| moved.key == *key) {
                    holder.base = *moved;
                }
            }
            Done::Conflict { view, .. } => {
                if holder.meet(view) {
                    holder.base.absent_until = None;
                }
            }
            Done::Wrote { .. } | Done::Moved { .. } | Done::Repeated { .. } => {
                holder.base.absent_until = None;
                holder.base = moved.unwrap_or(holder.base);
            }
            Done::Destroyed { .. }
            | Done::Nothing { .. }
            | Done::Found { .. }
            | Done::Ended { .. }
            | Done::Occupied { .. } => {}
        }
    }

    fn returned(&mut self, call: usize, answer: &Answer) -> Result<(), String> {
        let Call { verb, holder, ran, loaded, is_stored, .. } = self.calls[call];
        match answer {
            Answer::Loaded { view } if loaded == Some(view) => Ok(()),
            Answer::Loaded { view } => Err(format!("a handler sees {view}, which the store did not answer")),
            Answer::Committed { overlapped, view } => {
                if let Verb::Renew { to, .. } = verb
                    && self.holders[holder].base.key != *to
                {
                    return Err(format!("a session is said to be at key {to}"));
                }
                self.holders[holder].acknowledge(overlapped, view)
            }
            Answer::Updated if is_stored || ran.is_some_and(|(saw, made)| saw == made) => Ok(()),
            Answer::Updated => Err("an update is acknowledged, and was not stored".to_owned()),
            Answer::Destroyed => {
                let Holder { base, moved, found_nothing, .. } = &self.holders[holder];
                // Where nothing was, somebody else can have created something since.
                for base in moved.iter().chain(Some(base).filter(|_| !found_nothing)) {
                    self.is_gone(base)?;
                }
                self.holders[holder].is_over = true;
                Ok(())
            }
            Answer::Failed(Failure::Unexpected(error)) => Err(format!("a call fails: {error}")),
            Answer::Failed(Failure::Ended | Failure::Conflict) => {
                self.holders[holder].is_over = true;
                Ok(())
            }
            Answer::Failed(_) | Answer::Dropped => Ok(()),
        }
    }

    /// A session that was destroyed is not there.
    fn is_gone(&self, &Base { key, life, .. }: &Base) -> Result<(), String> {
        let place = &self.places[key];
        let is_there = |record: &Record| record.ends.is_none_or(|(earliest, _)| self.at < earliest);
        if place.life == life && place.record.as_ref().is_some_and(is_there) {
            return Err(format!("a session is said to have ended, and lives on at key {key}"));
        }
        Ok(())
    }
}

impl Holder {
    fn change(&mut self, edits: &Edits, shown: &View) {
        for field in (0..REGISTERS).filter(|&field| edits.registers[field].is_some()) {
            let mut unknown = self.changes.iter().rev().filter(|change| !change.is_acknowledged);
            let own = unknown.find_map(|change| change.edits.registers[field]);
            if own != Some(shown.registers[field]) {
                self.before[field] = Some(shown.registers[field]);
            }
        }
        self.changes.push(Changed { edits: edits.clone(), is_applied: false, is_acknowledged: false });
    }

    /// Others made this meanwhile, and what the handler wants is put on top of it, unless that is refused.
    fn meet(&mut self, view: &View) -> bool {
        let (registers, _) = self.wanted(self.changes.len());
        let (owner, before) = (registers[OWNER], self.before[OWNER]);
        if owner.is_some() && owner != before && before != Some(view.registers[OWNER]) {
            return false;
        }
        for (field, theirs) in view.registers.into_iter().enumerate() {
            if registers[field] == self.before[field] {
                // What was changed back is no change.
                self.changes.iter_mut().filter(|change| !change.is_applied).for_each(|change| {
                    change.edits.registers[field] = None;
                });
            } else if registers[field].is_some() && self.before[field] != Some(theirs) {
                self.is_replacing[field] = true;
                self.before[field] = Some(theirs);
            }
        }
        self.left = Some(view.clone());
        true
    }

    /// What the first so many changes amount to, as far as they are not applied.
    fn wanted(&self, changes: usize) -> ([Option<u32>; REGISTERS], Vec<u32>) {
        let (mut registers, mut logged) = ([None; REGISTERS], Vec::new());
        for change in self.changes[..changes].iter().filter(|change| !change.is_applied) {
            for (wanted, value) in registers.iter_mut().zip(change.edits.registers) {
                *wanted = value.or(*wanted);
            }
            logged.extend(change.edits.logged);
        }
        (registers, logged)
    }

    /// Those changes make `after` of `before`.
    fn apply(&mut self, changes: usize, before: &View, after: &View) -> Result<(), String> {
        let (registers, logged) = self.wanted(changes);
        for (field, wanted) in registers.iter().enumerate() {
            let (old, new, name) = (before.registers[field], after.registers[field], REGISTER_NAMES[field]);
            let base = self.before[field];
            match *wanted {
                None if new == old => {}
                None => return Err(format!("{name} becomes {new}, which nobody wanted")),
                // What was changed back is no change.
                Some(value) if base == Some(value) && new == old => {}
                Some(value) if new != value => return Err(format!("{name} becomes {new} instead of {value}")),
                Some(value) => {
                    let is_replacing = std::mem::take(&mut self.is_replacing[field]);
                    if (is_replacing || base != Some(old)) && old != value {
                        if field == OWNER {
                            return Err(format!(
                                "{name} was {old}, which its handler did not know, and is overwritten"
                            ));
                        }
                        self.overwritten[field] = true;
                    }
                    self.before[field] = Some(value);
                }
            }
        }
        if after.tally != before.tally {
            return Err(format!("the tally becomes {:?} by a commit that did not change it", after.tally));
        }
        if after.log != [&before.log[..], &logged].concat() {
            return Err(format!(
                "{logged:?} is added to the log, which was {:?} and becomes {:?}",
                before.log, after.log
            ));
        }
        self.changes[..changes].iter_mut().for_each(|change| change.is_applied = true);
        self.left = Some(after.clone());
        Ok(())
    }

    /// The handler is told that all it changed is stored, that these fields were overwritten, and what is there.
    fn acknowledge(&mut self, overlapped: &[usize], view: &View) -> Result<(), String> {
        let (registers, logged) = self.wanted(self.changes.len());
        // What was changed back is no change.
        let is_lost = |(wanted, before): (&Option<u32>, &Option<u32>)| wanted.is_some() && wanted != before;
        if !logged.is_empty() || registers.iter().zip(&self.before).any(is_lost) {
            return Err("a commit is acknowledged, and was not stored".to_owned());
        }
        for (field, overwritten) in self.overwritten.iter_mut().enumerate() {
            if std::mem::take(overwritten) && !overlapped.contains(&field) {
                return Err(format!("{} was overwritten, and its handler is not told", REGISTER_NAMES[field]));
            }
        }
        if let Some(left) = self.left.take()
            && left != *view
        {
            return Err(format!("a handler sees {view} after its commit left {left}"));
        }
        for change in &mut self.changes {
            (change.is_applied, change.is_acknowledged) = (true, true);
        }
        self.is_replacing = [false; REGISTERS];
        Ok(())
    }
}
