//! One small program by two libraries, to be read beside each other: visits, a theme, a login and a logout.
//!
//! `GET /` counts the visit, `POST /theme/{theme}`, `POST /login/{name}`, `POST /logout`. A login gets a new token and
//! keeps the theme.

pub mod ours;
pub mod tower_sessions;
