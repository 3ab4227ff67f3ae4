//! What the tests of the session toolkit share; the tests are beside this folder.

pub mod commits;
mod counting;
mod emptied;
mod events;
mod faulty;
mod free_port;
mod gate;
pub mod installed;
mod kept;
pub mod lints;
mod poll;
pub mod postgres_server;
pub mod proxy;
pub mod redis_server;
mod restored;
mod shared;
mod spans;
mod stored;
pub mod transaction_pooler;

pub use counting::CountingCodec;
pub use emptied::emptied_under_running_sessions;
pub use events::Events;
pub use faulty::{Fault, FaultyStore};
pub use free_port::free_port;
pub use gate::Gate;
pub use kept::{Kept, KeptBuilder};
pub use poll::{begin, now};
pub use restored::restored_under_running_sessions;
pub use shared::Shared;
pub use spans::Spans;
pub use stored::{all_stored, is_stored, record, stored, write};

/// The examples of the pages are compiled with the tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../session-runtime/README.md")]
    struct Runtime;

    #[doc = include_str!("../../docs/first-steps-web.md")]
    struct FirstStepsWeb;

    #[doc = include_str!("../../docs/first-steps-bots.md")]
    struct FirstStepsBots;

    #[doc = include_str!("../../docs/web.md")]
    struct Web;

    #[doc = include_str!("../../docs/sessions-of-a-user.md")]
    struct SessionsOfAUser;

    #[doc = include_str!("../../docs/bots.md")]
    struct Bots;

    #[doc = include_str!("../../docs/moving-in.md")]
    struct MovingIn;

    #[doc = include_str!("../../docs/changing-a-session-type.md")]
    struct ChangingASessionType;

    #[doc = include_str!("../../docs/running-in-production.md")]
    struct RunningInProduction;

    #[doc = include_str!("../../docs/exactness.md")]
    struct Exactness;

    #[doc = include_str!("../../docs/conflicts.md")]
    struct Conflicts;

    #[doc = include_str!("../../docs/how-it-works.md")]
    struct HowItWorks;
}
