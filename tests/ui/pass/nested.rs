//! Views, field names and initial values compose, to any depth and through generic parameters.

use session_runtime::{Session, Tracked};

#[derive(Session)]
#[session(name = "Visitor")]
struct Visitor<P> where P: Clone {
    visits: u32,
    #[session(nested)]
    prefs: Prefs,
    #[session(nested)]
    plugin: P,
    last: String,
}

#[derive(Session)]
struct Prefs {
    #[session(initial = "light".to_owned())]
    theme: String,
    #[session(nested)]
    fonts: Fonts,
}

#[derive(Clone, Session)]
struct Fonts {
    size: u8,
    family: String,
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor<Fonts>>::new()?;
    assert_eq!(visitor.prefs.theme, "light");
    *visitor.edit().prefs().theme() = "dark".to_owned();
    *visitor.edit().prefs().fonts().family() = "serif".to_owned();
    *visitor.edit().plugin().size() = 3;
    visitor.edit().prefs().fonts().edit_all().size = 0;
    let dirty: Vec<_> = visitor.dirty()?.iter().collect();
    assert_eq!(
        dirty,
        [
            VisitorField::Prefs(PrefsField::Theme),
            VisitorField::Prefs(PrefsField::Fonts(FontsField::Family)),
            VisitorField::Plugin(FontsField::Size),
        ]
    );
    assert_eq!(format!("{dirty:?}"), "[prefs.theme, prefs.fonts.family, plugin.size]");
    assert!(visitor.dirty()?.contains(VisitorField::Plugin(FontsField::Size)));
    assert!(!visitor.dirty()?.contains(VisitorField::Last));
    Ok(())
}
