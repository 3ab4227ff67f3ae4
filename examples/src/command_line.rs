//! What the command lines of the programs share.

use clap::Arg;
use clap::builder::{IntoResettable, ValueParser};

use crate::sessionctl::text::escape;

/// An option that takes a value.
#[must_use]
pub fn option(name: &'static str, value: &'static str, parser: impl IntoResettable<ValueParser>) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(parser)
}

/// An error and its causes in one line, for a terminal.
#[must_use]
pub fn explain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    escape(&causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}")))
}
