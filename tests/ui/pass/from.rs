//! A chain of migrations, each by `From`.

use session_runtime::Session;

#[derive(Session)]
#[session(name = "Visitor")]
struct First {
    visits: u32,
}

mod second {
    #[derive(session_runtime::Session)]
    #[session(name = "Visitor", version = 1, from = super::First)]
    pub struct Visitor {
        pub visits: u64,
    }

    impl From<super::First> for Visitor {
        fn from(first: super::First) -> Self {
            Self { visits: first.visits.into() }
        }
    }
}

#[derive(Session)]
#[session(version = 2, from = second::Visitor)]
struct Visitor {
    visits: String,
}

impl From<second::Visitor> for Visitor {
    fn from(second: second::Visitor) -> Self {
        Self { visits: second.visits.to_string() }
    }
}

fn main() {
    let first = First { visits: 3 };
    let visitor = Visitor::from(second::Visitor::from(first));
    assert_eq!(visitor.visits, "3");
}
