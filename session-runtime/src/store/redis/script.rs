//! The scripts that run inside the engine.

use std::sync::LazyLock;

use sha1_smol::Sha1;

/// A script, and the hash by which the engine knows it once it has seen it.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) code: &'static str,
    pub(super) hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, hash: Sha1::from(code).digest().to_string() }
    }
}

macro_rules! script {
    ($(#[$doc:meta])* $name:ident, $($part:literal),+) => {
        $(#[$doc])*
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| Script::new(concat!($(include_str!($part)),+)));
    };
}

script! {
    /// Touches a session.
    TOUCH, "touch.lua"
}
script! {
    /// Applies a change if its base is current.
    COMMIT, "current.lua", "header.lua", "commit.lua"
}
script! {
    /// Registers initial values.
    REGISTER, "register.lua"
}
script! {
    /// Adds a session to those with a value.
    ANNOUNCE, "announce.lua"
}
script! {
    /// Looks at the sessions with a value.
    FIND, "find.lua"
}
script! {
    /// Takes sessions out of those with a value.
    FORGET, "forget.lua"
}
script! {
    /// Removes a key whose retention is over by a clock that was moved.
    PURGE, "header.lua", "purge.lua"
}
script! {
    /// Runs each command that the other scripts write with, on keys of its own.
    TRIAL, "trial.lua"
}
