use std::sync::Arc;

/// The longest name, in bytes: it is part of every key.
const LONGEST: usize = 64;

/// Why a string cannot be the name of a session type, or of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` cannot be a name: write 1 to {LONGEST} of the characters `A-Z`, `a-z`, `0-9`, `_`, `-` and `.`",
    .name.escape_debug()
)]
pub struct InvalidName {
    /// What was written.
    pub name: Arc<str>,
}

/// Makes sure that a string can be the name of a session type, or of a namespace: `#[derive(Session)]` asks for the
/// same.
pub(crate) fn check_name(name: &str) -> Result<(), InvalidName> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_fine) {
        Ok(())
    } else {
        Err(InvalidName { name: name.into() })
    }
}
