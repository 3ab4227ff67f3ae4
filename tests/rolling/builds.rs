//! Two builds of a session type, and what a user sees of a session whichever build serves it.
//!
//! The newer build renamed `language` and the nested session `prefs`, dropped `coupon`, added `timezone`, has another
//! order of fields, and another initial `theme`, which it gives up for the registered one.

use session_runtime::store::Store;
use session_runtime::{Agreement, Handle, Session};
use session_tests::{Kept, Shared};

/// The name that both builds share.
pub const NAME: &str = "visitor";

pub mod older {
    use session_runtime::{Session, merge};

    #[derive(Session)]
    #[session(name = "visitor-older")]
    pub struct Visitor {
        #[session(merge = merge::add)]
        pub visits: u64,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        #[session(initial = "en".to_owned())]
        pub language: String,
        #[session(nested)]
        pub prefs: Prefs,
        pub coupon: Option<String>,
        #[session(merge = merge::append)]
        pub log: Vec<u64>,
    }

    #[derive(Session)]
    #[session(name = "prefs-older")]
    pub struct Prefs {
        #[session(initial = 12)]
        pub font: u64,
    }
}

pub mod newer {
    use session_runtime::{Session, merge};

    #[derive(Session)]
    #[session(name = "visitor-newer")]
    pub struct Visitor {
        pub timezone: String,
        #[session(merge = merge::append)]
        pub log: Vec<u64>,
        #[session(nested, alias = "prefs")]
        pub settings: Settings,
        #[session(initial = "en".to_owned(), alias = "language")]
        pub locale: String,
        #[session(initial = "dark".to_owned())]
        pub theme: String,
        #[session(merge = merge::add)]
        pub visits: u64,
    }

    #[derive(Session)]
    #[session(name = "settings-newer")]
    pub struct Settings {
        #[session(initial = 12, alias = "font")]
        pub font_size: u64,
    }
}

/// A session as its user knows it, whichever build shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub visits: u64,
    pub theme: String,
    pub language: String,
    pub font: u64,
    pub log: Vec<u64>,
    pub coupon: Option<String>,
    pub timezone: String,
}

impl Default for State {
    fn default() -> Self {
        Self {
            visits: 0,
            theme: "light".to_owned(),
            language: "en".to_owned(),
            font: 12,
            log: Vec::new(),
            coupon: None,
            timezone: String::new(),
        }
    }
}

/// A part of the state that a user can change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    Visits,
    Theme,
    Language,
    Font,
    Log,
    /// Only the older build has it.
    Coupon,
    /// Only the newer build has it.
    Timezone,
}

impl Part {
    pub const ALL: [Self; 7] =
        [Self::Visits, Self::Theme, Self::Language, Self::Font, Self::Log, Self::Coupon, Self::Timezone];
}

/// A build of the session type.
pub trait Build: Session + Send + Sync + 'static {
    /// Puts what this build knows of the session into `state`.
    fn show(&self, state: &mut State);

    /// Makes a part of the session what it is in `state`, if this build knows that part.
    fn set(handle: &mut Handle<Self>, part: Part, state: &State);
}

impl Build for older::Visitor {
    fn show(&self, state: &mut State) {
        state.visits = self.visits;
        state.theme.clone_from(&self.theme);
        state.language.clone_from(&self.language);
        state.font = self.prefs.font;
        state.log.clone_from(&self.log);
        state.coupon.clone_from(&self.coupon);
    }

    fn set(handle: &mut Handle<Self>, part: Part, state: &State) {
        match part {
            Part::Visits => *handle.edit().visits() = state.visits,
            Part::Theme => handle.edit().theme().clone_from(&state.theme),
            Part::Language => handle.edit().language().clone_from(&state.language),
            Part::Font => *handle.edit().prefs().font() = state.font,
            Part::Log => handle.edit().log().clone_from(&state.log),
            Part::Coupon => handle.edit().coupon().clone_from(&state.coupon),
            Part::Timezone => {}
        }
    }
}

impl Build for newer::Visitor {
    fn show(&self, state: &mut State) {
        state.visits = self.visits;
        state.theme.clone_from(&self.theme);
        state.language.clone_from(&self.locale);
        state.font = self.settings.font_size;
        state.log.clone_from(&self.log);
        state.timezone.clone_from(&self.timezone);
    }

    fn set(handle: &mut Handle<Self>, part: Part, state: &State) {
        match part {
            Part::Visits => *handle.edit().visits() = state.visits,
            Part::Theme => handle.edit().theme().clone_from(&state.theme),
            Part::Language => handle.edit().locale().clone_from(&state.language),
            Part::Font => *handle.edit().settings().font_size() = state.font,
            Part::Log => handle.edit().log().clone_from(&state.log),
            Part::Timezone => handle.edit().timezone().clone_from(&state.timezone),
            Part::Coupon => {}
        }
    }
}

/// An instance that was started just now.
pub fn start<B: Build, S: Store>(store: &S) -> Kept<B, Shared<S>> {
    Kept::builder(Shared::new(store.clone(), NAME)).agreement(Agreement::Adopt).build()
}
