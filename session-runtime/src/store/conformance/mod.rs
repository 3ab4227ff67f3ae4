//! What every store promises, as tests that the author of a store runs.
//!
//! ```
//! use session_runtime::store::MemoryStore;
//!
//! session_runtime::conformance!(async { MemoryStore::new() });
//! ```
//!
//! The macro expands to one `#[test]` per case. Each case works under a session name or keys of its own, so that all
//! of them can share a server and run at the same time, and it moves only its own clock. Programs go through [`CASES`].
//!
//! The cases know the [`Store`](super::Store) trait, and [`Sessions`](crate::Sessions) over it. A case that fails panics; its message
//! says what was expected.

#![allow(clippy::missing_panics_doc, reason = "a case fails by panicking")]
#![allow(clippy::wildcard_imports, reason = "the list of cases names all that the files have")]

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::{AnyStore, Housekeeping};

mod agreeing;
mod bounding;
mod comparing;
mod creating;
mod crowding;
mod destroyed;
mod emptied;
mod expiring;
mod finding;
mod fixture;
mod listing;
mod lost;
mod moving;
mod odd;
mod overlapping;
mod present;
mod purging;
mod racing;
mod registering;
mod remembering;
mod renewing;
mod requesting;
mod twins;
mod visiting;
mod working;
mod writing;

use agreeing::*;
use bounding::*;
use comparing::*;
use creating::*;
use crowding::*;
use destroyed::*;
use emptied::*;
use expiring::*;
use finding::*;
use fixture::Fixture;
use listing::*;
use lost::*;
use moving::*;
use odd::*;
use overlapping::*;
use present::*;
use purging::*;
use racing::*;
use registering::*;
use remembering::*;
use renewing::*;
use requesting::*;
use twins::*;
use working::*;
use writing::*;

/// One thing that a store promises.
#[derive(Clone, Copy)]
pub struct Case {
    /// The name of its function: `p06_…` tests promise 6.
    pub name: &'static str,
    /// The promise that it tests.
    pub promise: &'static str,
    runner: fn(Fixture) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Case {
    /// Tests a store. A future that panics tells what was expected and what was found.
    pub async fn run(&self, store: impl Housekeeping) {
        (self.runner)(Fixture::new(AnyStore::new(store)).await).await;
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("promise", &self.promise).finish_non_exhaustive()
    }
}

/// The promises of this crate, the first being number 1.
const PROMISES: [&str; 13] = [
    "Stored state is the difference from the initial state",
    "Unmarked costs nothing",
    "Dirty is exact, at any depth",
    "A commit writes only dirty fields, atomically",
    "Writers of different fields both survive; a reader never overwrites; `update` is serializable",
    "The destroyed stay destroyed",
    "Failure loses nothing and doubles nothing",
    "What is committed can be loaded",
    "A session in use is not reclaimed",
    "All instances agree on the initial state",
    "Old records are migrated, newer ones refused, undecodable ones kept",
    "Waiting has an end",
    "No panic on any input",
];

/// The promise that a case called `p06_…` tests.
const fn promise(case: &str) -> &'static str {
    let name = case.as_bytes();
    PROMISES[((name[1] - b'0') * 10 + (name[2] - b'0')) as usize - 1]
}

/// What the future given to [`conformance!`](crate::conformance) makes: a store, or `None` to leave the cases out where
/// there is no server for it.
#[doc(hidden)]
pub trait Provided {
    fn provided(self) -> Option<AnyStore>;
}

impl<S: Housekeeping> Provided for S {
    fn provided(self) -> Option<AnyStore> {
        Some(AnyStore::new(self))
    }
}

impl<S: Housekeeping> Provided for Option<S> {
    fn provided(self) -> Option<AnyStore> {
        self.map(AnyStore::new)
    }
}

/// Runs the case of this name on its own runtime. For [`conformance!`](crate::conformance).
///
/// A thin shell: each test of each store has one of its own, and cases are compiled once, with this crate.
#[doc(hidden)]
pub fn run<P: Provided>(store: impl Future<Output = P>, case: &str) {
    run_on(Box::pin(async { store.await.provided() }), case);
}

fn run_on(store: Pin<Box<dyn Future<Output = Option<AnyStore>> + '_>>, case: &str) {
    let case = CASES.iter().find(|known| known.name == case).expect("it is in the table");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be built").block_on(async {
        if let Some(store) = store.await {
            case.run(store).await;
        }
    });
}

/// Tests a store: one `#[test]` per case of the [suite](crate::store::conformance).
///
/// The argument is a future that makes a store, or an `Option` of one. It is evaluated once per case; the stores may
/// share one server.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        $crate::__conformance_cases! { $crate::__conformance_tests, $store }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($store:expr) $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::store::conformance::run($store, stringify!($case));
            }
        )*
    };
}

macro_rules! table {
    (() $($case:ident)*) => {
        /// All cases.
        pub const CASES: &[Case] = &[
            $(Case {
                name: stringify!($case),
                promise: promise(stringify!($case)),
                runner: |fixture| Box::pin($case(fixture)),
            },)*
        ];
    };
}

/// The one list of cases: hands it to the macro that it is told.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($receiver:path $(, $argument:expr)?) => {
        $receiver! {
            ($($argument)?)
            p01_a_new_session_is_stored_by_its_first_commit
            p01_a_session_that_was_only_read_is_not_stored
            p01_a_creation_without_fields_stores_no_session
            p05_two_first_commits_of_one_key_both_survive
            p05_two_first_commits_after_the_same_end_both_survive
            p05_a_late_first_commit_is_told_the_current_record
            p06_a_first_commit_does_not_pass_an_end_that_it_did_not_see
            p06_a_first_commit_does_not_join_a_later_life
            p06_a_new_life_inherits_nothing
            p06_a_new_life_of_the_same_ids_inherits_nothing
            p06_a_purged_end_does_not_stand_in_the_way
            p06_a_change_of_what_is_not_there_is_refused
            p04_a_change_touches_only_its_fields
            p04_removing_an_absent_field_is_harmless
            p04_changes_follow_each_other
            p04_two_hundred_fields_are_one_commit
            p05_a_stale_change_is_told_the_current_record
            p05_a_revision_from_the_future_conflicts
            p05_a_revision_that_came_round_again_conflicts
            p06_a_change_of_another_life_is_refused
            p11_unknown_fields_survive
            p11_a_migrated_session_replaces_all_fields
            p11_a_stale_migration_replaces_nothing
            p11_a_record_names_the_version_of_its_last_commit
            p01_a_session_without_differences_is_not_stored
            p01_an_emptied_session_can_be_stored_again
            p01_the_store_notices_that_the_last_field_went
            p01_a_replacement_without_fields_empties
            p01_a_session_that_is_always_stored_stays_without_fields
            p05_a_stale_change_conflicts_with_an_emptied_session
            p05_a_first_commit_conflicts_with_an_emptied_session
            p06_emptying_and_storing_again_is_no_way_back_for_stale_changes
            p06_an_emptied_session_can_be_destroyed
            p06_a_destroyed_session_is_absent
            p06_a_load_tells_how_the_last_session_ended
            p06_a_commit_in_flight_does_not_bring_it_back
            p06_a_commit_in_flight_does_not_reach_the_next_life
            p06_a_stale_handler_can_destroy
            p06_a_handler_that_saw_its_absence_is_told_what_to_destroy
            p06_a_destroy_that_found_nothing_destroys_nothing_later
            p06_a_handler_of_another_life_cannot_destroy
            p06_destroying_nothing_leaves_no_trace
            p06_destroying_what_has_ended_changes_nothing
            p06_a_handler_that_saw_its_absence_is_not_told_of_another_end
            p06_a_second_destroy_is_told
            p06_lives_do_not_mix
            p06_a_renewed_session_lives_at_its_new_key_only
            p06_a_renewed_session_goes_on
            p06_a_commit_in_flight_does_not_reach_a_renewed_session
            p06_the_old_key_can_live_again
            p06_a_session_does_not_move_onto_another
            p06_a_session_does_not_move_onto_itself
            p06_a_session_moves_over_a_destroyed_one
            p06_a_session_moves_over_an_emptied_one
            p06_a_session_moves_over_an_expired_one
            p06_a_handler_of_the_new_key_does_not_join_the_session_that_moved_there
            p05_a_stale_renewal_conflicts
            p05_a_stale_renewal_onto_a_session_conflicts
            p06_a_new_session_can_be_renewed
            p06_what_is_not_stored_can_be_renewed_onto_its_own_key
            p06_a_renewal_tells_whether_a_session_was_stored
            p01_a_renewal_without_differences_stores_no_session
            p01_a_renewal_can_empty_the_session
            p01_a_session_that_is_always_stored_moves_without_fields
            p07_a_repeated_renewal_is_answered
            p07_a_repeated_renewal_of_a_session_without_fields_is_answered
            p06_a_session_can_move_many_times
            p07_a_repeated_change_is_applied_once
            p07_a_repeated_creation_is_applied_once
            p07_a_repeated_emptying_is_applied_once
            p07_a_repeated_destroy_is_answered
            p07_a_lost_answer_is_known_for_eight_commits
            p07_an_older_lost_answer_conflicts_from_afar
            p07_a_lost_creation_is_known_for_eight_commits
            p07_a_commit_that_never_arrived_conflicts_from_near
            p07_a_lost_answer_is_known_after_a_destroy
            p07_a_lost_answer_is_known_after_a_renewal
            p07_a_lost_commit_does_not_reach_the_next_life
            p07_a_repeated_destroy_is_answered_in_the_next_life
            p07_a_repeated_renewal_is_answered_in_the_next_life
            p07_a_repeated_destroy_is_answered_after_another_session_moved_there
            p07_a_refused_commit_can_be_sent_again_on_another_base
            p09_a_session_ends_after_inactivity
            p09_the_clock_moves_both_ways
            p09_a_load_touches_only_when_due
            p09_a_touch_disturbs_no_commit
            p09_a_commit_moves_the_expiry
            p09_a_session_ends_after_its_creation
            p09_a_session_ends_at_the_earlier_of_two_rules
            p09_a_date_set_by_a_handler_replaces_the_rule
            p09_a_first_commit_can_set_a_date
            p09_a_date_moves_with_the_session
            p09_a_lifetime_of_its_own_slides_on_every_instance
            p09_a_lifetime_of_its_own_is_touched_by_its_share
            p09_a_lifetime_of_its_own_ends_at_the_limit_since_the_creation
            p09_a_lifetime_of_its_own_can_be_taken_back
            p09_a_lifetime_of_its_own_stays_with_its_session
            p09_a_date_of_its_own_stays_with_its_session
            p09_a_load_never_brings_the_expiry_closer
            p09_a_load_can_take_the_expiry_away
            p06_a_commit_after_expiry_stores_nothing
            p06_a_first_commit_does_not_pass_an_expiry_that_it_did_not_see
            p06_a_first_commit_does_not_pass_a_session_whose_end_was_seen_too_early
            p06_a_new_life_begins_over_an_expired_session
            p09_an_unstored_session_ends_too
            p09_a_session_that_others_stored_in_time_goes_on
            p09_a_session_that_others_stored_too_late_is_another
            p06_an_emptied_session_expires
            p07_a_lost_answer_is_known_after_expiry
            p13_times_without_end_are_harmless
            p04_changes_at_the_present_are_as_at_any_time
            p07_lost_answers_at_the_present_are_as_at_any_time
            p09_a_change_at_the_present_moves_the_end_by_its_rule
            p09_an_end_of_its_own_goes_on_at_the_present
            p06_what_ended_is_kept_for_the_longest_retention_at_the_present
            p13_a_header_that_is_kept_for_ever_is_harmless_at_the_present
            p06_a_change_at_the_present_after_the_end_stores_nothing
            p09_what_ended_is_purged_after_its_retention
            p06_what_ended_is_kept_for_its_retention
            p06_what_ended_is_kept_for_the_longest_retention
            p09_a_purge_removes_no_living_session
            p09_a_purge_goes_by_the_current_expiry
            p09_a_purge_goes_by_an_end_that_came_closer
            p09_a_purge_takes_nothing_of_other_keys_and_names
            p09_a_purge_is_bounded
            p09_a_purge_takes_nothing_of_a_life_that_begins_meanwhile
            p01_all_stored_sessions_are_listed_once
            p01_nothing_stored_is_nothing_listed
            p01_a_listing_is_complete_while_others_come_and_go
            p05_session_names_are_namespaces
            p05_similar_session_names_are_different
            p05_sessions_of_equal_ids_do_not_mix
            p10_the_first_registration_stands
            p10_what_is_registered_stays
            p10_unknown_fields_are_added
            p10_versions_and_names_are_separate
            p10_concurrent_registrations_agree
            p10_a_withdrawn_registration_is_gone
            p10_nothing_is_acknowledged_without_its_registration
            p10_a_lost_registration_hides_no_refusal
            p10_a_lost_agreement_is_made_again
            p10_an_agreement_that_others_made_first_is_followed
            p10_an_instance_says_so_when_others_agreed_on_other_values
            p10_a_record_is_set_aside_under_the_registration_of_its_session
            p10_registrations_are_not_sessions
            p10_initial_values_are_opaque
            p13_any_string_is_a_key_of_its_own
            p13_odd_keys_can_be_changed_moved_and_destroyed
            p13_values_are_opaque
            p13_an_empty_value_is_a_value
            p13_large_values_are_stored
            p13_field_names_are_told_apart
            p13_ids_are_any_64_bits
            p13_an_id_of_zero_is_not_taken_for_known
            p13_numbers_without_end_are_harmless
            p05_a_counter_of_many_handlers_is_exact
            p05_writers_of_different_fields_all_survive
            p05_a_load_that_touches_undoes_no_commit
            p05_one_of_many_first_commits_creates
            p06_one_of_many_first_renewals_moves_the_session
            p06_one_of_many_sessions_moves_to_a_free_key
            p04_a_reader_sees_commits_whole
            p06_a_renewal_is_one_step
            p06_a_destroy_races_with_writers
            p06_crossing_renewals_do_not_block
            p07_a_dropped_commit_is_all_or_nothing
            p07_a_dropped_renewal_is_all_or_nothing
            p02_calls_of_an_untouched_session_are_none
            p02_calls_of_a_new_session_that_is_read_are_one_load
            p01_calls_of_a_new_session_that_is_changed_are_one_load_and_one_commit
            p02_calls_of_a_stored_session_that_is_read_are_one_load
            p04_calls_of_a_stored_session_that_is_changed_are_one_load_and_one_commit
            p03_calls_of_a_value_that_is_set_again_are_one_load
            p03_calls_of_a_change_that_is_taken_back_are_one_load
            p01_calls_of_a_return_to_the_initial_values_are_one_load_and_one_removal
            p03_calls_of_a_removal_of_what_is_absent_are_one_load
            p07_calls_of_a_handler_that_fails_are_one_load
            p09_calls_of_a_read_are_one_load_that_touches_only_when_due
            p06_calls_of_a_renewal_and_of_a_removal_are_one_each
            p05_requests_that_change_different_fields_both_survive
            p05_first_requests_that_change_different_fields_both_survive
            p05_a_commit_tells_which_fields_of_others_it_overwrote
            p05_a_slow_reader_erases_nothing
            p05_a_value_is_never_mixed_from_two
            p06_a_request_in_flight_does_not_undo_a_logout
            p06_a_logout_ends_a_session_that_it_did_not_see
            p06_a_logout_by_key_ends_whatever_is_there
            p06_a_started_session_replaces_no_other
            p07_a_started_session_whose_answer_is_lost_is_created_once
            p06_a_first_request_in_flight_does_not_undo_a_logout
            p06_a_request_in_flight_does_not_revive_a_renewed_key
            p05_a_renewal_takes_along_what_others_stored
            p06_a_request_in_flight_does_not_outlive_its_session
            p11_a_load_that_fails_is_no_empty_session
            p07_changes_are_not_shared_before_the_commit
            p05_a_counter_of_a_thousand_writers_is_exact
            p05_updates_of_fifty_tasks_count_every_one
            p05_a_counter_of_long_handlers_is_exact
            p05_writers_of_different_fields_survive_a_crowd
            p06_a_logout_in_a_crowd_is_one
            p13_a_session_that_is_too_large_is_not_sent
            p13_a_field_of_a_mebibyte_comes_back
            p04_two_hundred_fields_of_a_session_are_one_commit
            p13_odd_keys_name_sessions_of_their_own
            p13_odd_values_come_back_from_a_codec_that_is_not_text
            p06_every_history_is_answered_as_in_memory
            p07_the_last_commits_of_a_key_are_told
            p07_the_last_commits_of_a_key_are_told_after_its_session_ended
            p07_a_second_delivery_finds_the_work_done
            p07_of_two_deliveries_at_once_one_is_stored
            p07_work_is_remembered_for_eight_commits
            p07_work_is_remembered_after_its_session_ended
            p07_a_crowd_of_deliveries_does_each_work_once
            p07_a_delivery_that_was_cut_off_is_done_once
            p01_a_session_is_found_by_an_indexed_value
            p01_all_sessions_with_a_value_are_found_in_pages
            p13_sessions_are_found_by_any_value
            p01_a_session_is_not_found_by_a_value_that_it_had
            p05_a_refused_commit_is_not_found
            p05_a_value_of_a_program_without_the_index_is_no_other_value
            p06_an_ended_session_is_not_found
            p06_a_renewed_session_is_found_at_its_new_key
            p06_a_session_that_moved_is_not_found_by_the_one_before
            p07_a_repeated_commit_is_found_once
            p06_a_user_is_found_in_all_sessions
            p06_log_out_everywhere_ends_all_that_was_found
            p11_what_was_stored_before_is_found_once_the_index_is_built
            p11_an_old_session_is_asked_for_once_and_stored_as_a_whole
            p11_an_old_session_is_stored_with_what_its_first_handler_changed
            p11_an_old_session_moves_on_to_another_key
            p11_an_old_session_keeps_its_end
            p01_an_old_session_without_differences_is_not_stored
            p05_an_old_session_that_two_take_over_at_once_is_stored_once
            p05_what_two_change_in_an_old_session_is_merged
            p06_an_old_session_that_ended_here_does_not_come_back
            p06_an_old_session_that_its_first_handler_empties_does_not_come_back
            p06_an_old_session_that_was_never_loaded_can_be_ended
            p07_an_old_session_that_cannot_be_read_is_an_error
        }
    };
}

__conformance_cases! { table }
