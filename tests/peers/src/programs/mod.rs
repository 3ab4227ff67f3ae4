//! Small programs, each by two libraries, to be read beside each other.

/// On axum: visits, a theme, a login and a logout.
///
/// `GET /` counts the visit, `POST /theme/{theme}`, `POST /login/{name}`, `POST /logout`. A login gets a new token and
/// keeps the theme.
pub mod web {
    pub mod ours;
    pub mod tower_sessions;
}

/// A bot that counts `/count`, and answers every message with the number.
pub mod counter {
    pub mod ours;
    pub mod teloxide;
}

/// A bot that asks for a name and for an age, and says both.
pub mod dialogue {
    pub mod ours;
    pub mod teloxide;
}
