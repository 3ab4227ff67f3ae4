//! Generated code in hostile places.

/// Without the prelude, and with everything that it has under other meanings.
#[allow(dead_code, non_camel_case_types)]
mod without_prelude {
    #![no_implicit_prelude]

    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Ok;
    struct Err;
    struct String;
    struct Vec;
    struct Session;
    struct Field;
    struct Default;
    struct Clone;
    mod std {}
    mod core {}
    mod session_runtime {}

    #[derive(::session_runtime::Session)]
    pub(super) struct Visitor {
        pub(super) visits: u32,
        #[session(initial = [1; 16], merge = visitor)]
        pub(super) list: [u8; 16],
        #[session(nested)]
        pub(super) prefs: Prefs,
        #[session(skip)]
        pub(super) request: u64,
        #[session(with = index, alias = "x")]
        pub(super) coded: u128,
    }

    #[derive(::session_runtime::Session)]
    #[session(version = 1, from = Visitor)]
    pub(super) struct Prefs {
        pub(super) theme: u8,
    }

    impl ::std::convert::From<Visitor> for Prefs {
        fn from(visitor: Visitor) -> Self {
            visitor.prefs
        }
    }

    fn visitor(_: &[u8; 16], mine: [u8; 16], _: [u8; 16]) -> [u8; 16] {
        mine
    }

    mod index {
        use ::serde::{Deserialize, Deserializer, Serializer};
        use ::std::result::Result;

        pub(super) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u128(*value)
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
            Deserialize::deserialize(deserializer)
        }
    }
}

#[test]
fn no_name_of_the_prelude_is_taken_for_granted() {
    use without_prelude::{PrefsField, Visitor, VisitorField};

    let mut visitor = session_runtime::Tracked::<Visitor>::new().unwrap();
    *visitor.edit().visits() = 1;
    *visitor.edit().prefs().theme() = 2;
    *visitor.edit().request() = 3;
    *visitor.edit().coded() = 4;
    let dirty: Vec<_> = visitor.dirty().unwrap().iter().collect();
    assert_eq!(dirty, [VisitorField::Visits, VisitorField::Coded, VisitorField::Prefs(PrefsField::Theme)]);
    assert_eq!((visitor.visits, visitor.list, visitor.prefs.theme, visitor.request), (1, [1; 16], 2, 3));
}

/// Fields, parameters and types with the names that generated code uses itself.
mod generated_names {
    use session_runtime::Session as Other;

    #[derive(Other, Debug)]
    #[session(name = "generated")]
    pub(super) struct Names<V, P, N, S, D> {
        pub(super) value: u8,
        pub(super) marks: u8,
        pub(super) key: u8,
        pub(super) edit: u8,
        pub(super) this: u8,
        pub(super) index: u8,
        pub(super) visitor: u8,
        pub(super) own: u8,
        pub(super) nested: u8,
        pub(super) initial: u8,
        pub(super) read: u8,
        pub(super) write: u8,
        pub(super) field: u8,
        pub(super) clone: u8,
        pub(super) r#type: u8,
        pub(super) r#fn: u8,
        pub(super) __session: u8,
        pub(super) text: std::borrow::Cow<'static, str>,
        pub(super) parameters: (V, P, N, S, D),
    }
}

#[test]
fn fields_and_parameters_may_have_the_names_of_generated_code() {
    type Names = generated_names::Names<u8, u8, u8, u8, u8>;
    let mut session = session_runtime::Tracked::<Names>::new().unwrap();
    *session.edit().value() = 1;
    *session.edit().marks() = 1;
    *session.edit().edit() = 1;
    *session.edit().clone() = 1;
    *session.edit().r#type() = 1;
    *session.edit().__session() = 1;
    assert_eq!(format!("{:?}", session.dirty().unwrap()), "{value, marks, edit, clone, type, __session}");
    let read = [session.key, session.this, session.index, session.visitor, session.own, session.nested, session.r#fn];
    assert_eq!(read, [0; 7]);
    assert_eq!([session.initial, session.read, session.write, session.field], [0; 4]);
    assert_eq!((session.text.as_ref(), session.parameters), ("", (0, 0, 0, 0, 0)));
}

/// Types with the names of traits and of the prelude, as fields.
mod named_like_others {
    use serde::{Deserialize, Serialize};

    #[derive(Default, Serialize, Deserialize, PartialEq, Debug)]
    pub(super) struct Session(pub(super) u8);
    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct Result;
    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct String;
    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct Marks;

    #[derive(session_runtime::Session)]
    pub(super) struct Visitor {
        pub(super) session: Session,
        pub(super) _result: Result,
        pub(super) _string: String,
        pub(super) _marks: Marks,
    }
}

#[test]
fn a_path_to_the_derive_needs_no_import_of_the_trait() {
    let mut visitor = session_runtime::Tracked::<named_like_others::Visitor>::new().unwrap();
    visitor.edit().session().0 = 7;
    assert_eq!(visitor.session, named_like_others::Session(7));
}

/// The struct comes out of a macro, whole or in parts.
macro_rules! session {
    ($name:ident { $($(#[$attr:meta])* $field:ident: $ty:ty = $initial:expr),* $(,)? }) => {
        #[derive(session_runtime::Session)]
        struct $name {
            $($(#[$attr])* #[session(initial = $initial)] $field: $ty,)*
            own: std::collections::HashMap<String, u8>,
        }
    };
}

session!(FromMacro {
    visits: u32 = 3,
    #[session(pin)]
    list: Vec<u8> = vec![1, 2],
    #[session(sensitive)]
    map: std::collections::HashMap<u8, u8> = std::collections::HashMap::new(),
});

#[test]
fn a_macro_may_pass_the_fields() {
    let mut visitor = session_runtime::Tracked::<FromMacro>::new().unwrap();
    *visitor.edit().visits() += 1;
    visitor.edit().own().insert(String::new(), 1);
    assert_eq!((visitor.visits, visitor.list.len(), visitor.map.len(), visitor.own.len()), (4, 2, 0, 1));
    let dirty: Vec<_> = visitor.dirty().unwrap().iter().collect();
    assert_eq!(dirty, [FromMacroField::Visits, FromMacroField::Own]);
}

#[test]
fn a_function_may_hold_the_struct_and_what_it_names() {
    fn default_theme() -> String {
        "light".to_owned()
    }

    #[derive(session_runtime::Session)]
    struct Visitor {
        #[session(initial = default_theme())]
        theme: String,
        #[session(nested)]
        prefs: Prefs,
    }

    #[derive(session_runtime::Session)]
    struct Prefs {
        dark: bool,
    }

    let mut visitor = session_runtime::Tracked::<Visitor>::new().unwrap();
    *visitor.edit().prefs().dark() = true;
    assert_eq!((visitor.theme.as_str(), visitor.prefs.dark), ("light", true));
    assert!(visitor.dirty().unwrap().contains(VisitorField::Prefs(PrefsField::Dark)));
}

/// The runtime under another name.
mod renamed {
    pub(super) extern crate session_runtime as sessions;

    #[derive(sessions::Session)]
    #[session(crate = sessions)]
    pub(super) struct Visitor {
        pub(super) visits: u32,
    }
}

#[test]
fn the_runtime_may_have_another_name() {
    let mut visitor = renamed::sessions::Tracked::<renamed::Visitor>::new().unwrap();
    *visitor.edit().visits() += 1;
    assert_eq!(visitor.visits, 1);
}
