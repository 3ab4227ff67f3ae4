/// What a handler does, one thing after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Loads the common key.
    Load,
    /// Changes the first field by an amount of its own.
    ChangeA,
    /// Changes the second field by an amount of its own.
    ChangeB,
    /// Takes back all that this handler changed since its load, committed or not.
    Revert,
    /// Commits.
    Commit,
    /// Commits, and does not get the answer of the store.
    CommitLost,
    /// Commits, renews or destroys again after an answer was lost.
    Retry,
    /// Destroys the session.
    Destroy,
    /// Destroys the session, and does not get the answer of the store.
    DestroyLost,
    /// Moves the session to a key of the handler's own.
    Renew,
    /// Moves the session, and does not get the answer of the store.
    RenewLost,
}

use Step::{ChangeA, ChangeB, Commit, CommitLost, Destroy, DestroyLost, Load, Renew, RenewLost, Retry, Revert};

const STEPS: [Step; 11] =
    [Load, ChangeA, ChangeB, Revert, Commit, CommitLost, Retry, Destroy, DestroyLost, Renew, RenewLost];

impl Step {
    fn is_edit(self) -> bool {
        matches!(self, ChangeA | ChangeB | Revert)
    }

    fn loses(self) -> bool {
        matches!(self, CommitLost | DestroyLost | RenewLost)
    }
}

/// All programs of a load and so many further steps, except those that do the same as a shorter one or as another.
pub(crate) fn all(more: usize) -> Vec<Vec<Step>> {
    let mut programs = vec![vec![Load]];
    for _ in 0..more {
        let longer = |program: &Vec<Step>| {
            let steps = STEPS.into_iter().filter(|step| differs(program, *step));
            steps.map(|step| [&program[..], &[step]].concat()).collect::<Vec<_>>()
        };
        programs = programs.iter().flat_map(longer).collect();
    }
    // What is not committed at the end is dropped, and nobody looks at what was loaded there.
    programs.retain(|program| program.last().is_some_and(|last| !last.is_edit() && *last != Load));
    programs
}

/// Whether the step makes a difference at the end of the program.
fn differs(program: &[Step], step: Step) -> bool {
    let loaded = program.iter().rposition(|step| *step == Load).map_or(0, |place| place + 1);
    let since_load = &program[loaded..];
    let calls = since_load.iter().rposition(|step| !step.is_edit()).map_or(0, |place| place + 1);
    let (calls, edits) = since_load.split_at(calls);
    let lost = calls.last().is_some_and(|call| call.loses());
    let changed_since_revert =
        since_load.iter().rev().take_while(|step| **step != Revert).any(|step| matches!(step, ChangeA | ChangeB));
    let undone = calls.is_empty() && edits.last() == Some(&Revert);
    if calls.contains(&Destroy) || calls.contains(&DestroyLost) {
        return step == Load || step == Retry && calls.last() == Some(&DestroyLost);
    }
    match step {
        Load => !since_load.is_empty() && edits.is_empty(),
        ChangeA | Destroy | DestroyLost => edits.is_empty(),
        ChangeB => matches!(edits, [] | [ChangeA]),
        Revert => changed_since_revert && (edits.is_empty() || calls.is_empty()),
        Commit => !edits.is_empty(),
        CommitLost => !edits.is_empty() && !undone && !lost,
        Retry => edits.is_empty() && lost,
        Renew | RenewLost => !undone && !program.iter().any(|step| matches!(step, Renew | RenewLost)),
    }
}

/// The same, without those that lose an answer about an end.
pub(crate) fn answered(more: usize) -> Vec<Vec<Step>> {
    let mut programs = all(more);
    programs.retain(|program| !program.contains(&DestroyLost) && !program.contains(&RenewLost));
    programs
}

/// Programs for three handlers: all short ones, and the shortest that ends a stored session.
pub(crate) fn short() -> Vec<Vec<Step>> {
    [answered(1), answered(2), vec![vec![Load, ChangeA, Commit, Destroy]]].concat()
}

/// The shortest programs that create, end and move a session.
pub(crate) fn shortest() -> Vec<Vec<Step>> {
    let changes = [&[Commit][..], &[Commit, Destroy], &[Renew]].map(|end| [&[Load, ChangeA][..], end].concat());
    [answered(1), changes.to_vec()].concat()
}

/// Programs that end a session, do not get the answer, and ask for it.
pub(crate) fn lost_ends() -> Vec<Vec<Step>> {
    let mut programs = Vec::new();
    for first in [&[Load][..], &[Load, ChangeA, Commit]] {
        for end in [&[RenewLost, Retry][..], &[RenewLost, Destroy], &[DestroyLost, Retry]] {
            programs.push([first, end].concat());
        }
    }
    programs
}

/// All ways to give each handler a program out of its list; of two ways in which only the fields, or handlers of the
/// same list, have changed places, one.
pub(crate) fn assignments<'a>(lists: &[&'a [Vec<Step>]]) -> Vec<Vec<&'a [Step]>> {
    let mut assignments: Vec<(usize, Vec<&'a [Step]>)> = vec![(0, Vec::new())];
    for (handler, list) in lists.iter().enumerate() {
        let same_list = handler > 0 && std::ptr::eq(lists[handler - 1], *list);
        let longer = assignments.iter().flat_map(|(place, cast)| {
            let first = if same_list { *place } else { 0 };
            let programs = list.iter().enumerate().skip(first);
            programs.map(|(place, program)| (place, [&cast[..], &[program.as_slice()]].concat())).collect::<Vec<_>>()
        });
        assignments = longer.collect();
    }
    let assignments = assignments.into_iter().map(|(_, cast)| cast);
    let first_change = |cast: &[&[Step]]| cast.concat().into_iter().find(|step| matches!(step, ChangeA | ChangeB));
    assignments.filter(|assignment| first_change(assignment) != Some(ChangeB)).collect()
}
