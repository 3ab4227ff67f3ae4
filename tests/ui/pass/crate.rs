//! The runtime under another path.

mod vendored {
    pub use ::session_runtime as sessions;
}

mod session_runtime {}

#[derive(vendored::sessions::Session)]
#[session(crate = vendored::sessions)]
struct Visitor {
    visits: u32,
    #[session(nested)]
    prefs: Prefs,
}

#[derive(vendored::sessions::Session)]
#[session(crate = crate::vendored::sessions)]
struct Prefs {
    theme: String,
}

fn main() -> Result<(), vendored::sessions::Error> {
    let mut visitor = vendored::sessions::Tracked::<Visitor>::new()?;
    *visitor.edit().visits() += 1;
    visitor.edit().prefs().theme().push('x');
    assert_eq!(visitor.dirty()?.len(), 2);
    Ok(())
}
