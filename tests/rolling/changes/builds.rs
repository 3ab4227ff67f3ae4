//! The deployed build of each row, and the one that comes.

use std::collections::BTreeMap;

use serde_json::Value;
use session_runtime::{Handle, Session};

/// A session as its user knows it: each thing by one name, whatever builds call it.
pub type Known = BTreeMap<&'static str, Value>;

/// A build of a session type.
pub trait Build: Session + Sync {
    /// What this build shows.
    fn show(&self) -> Known;

    /// Changes everything that this build knows, as a handler does: it goes on from what is there.
    fn change(handle: &mut Handle<Self>);
}

/// A build whose handlers change each field so.
macro_rules! build {
    ($build:ty { $($known:ident: $($place:ident).+ => $change:expr;)* }) => {
        impl Build for $build {
            fn show(&self) -> Known {
                [$((stringify!($known), serde_json::to_value(&self.$($place).+).expect("JSON"))),*].into()
            }

            fn change(handle: &mut Handle<Self>) {
                $({
                    let $known = handle.edit().$($place()).+;
                    $change;
                })*
            }
        }
    };
}

/// The build that comes, if it knows what the deployed one knows.
macro_rules! build_of_all {
    ($build:ty) => {
        build!($build {
            visits: visits => *visits += 1;
            theme: theme => theme.push_str(" red");
            language: language => language.push('n');
        });
    };
}

pub mod plain {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        pub language: String,
    }

    build!(Visitor {
        visits: visits => *visits += 1;
        theme: theme => theme.push_str(" blue");
        language: language => language.push('e');
    });
}

pub mod new_field {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        pub language: String,
        #[session(initial = 12)]
        pub font: u8,
    }

    build!(Visitor {
        visits: visits => *visits += 1;
        theme: theme => theme.push_str(" red");
        language: language => language.push('n');
        font: font => *font += 1;
    });
}

pub mod removed_field {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
    }

    build!(Visitor {
        visits: visits => *visits += 1;
        theme: theme => theme.push_str(" red");
    });
}

pub mod alias {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        #[session(alias = "language")]
        pub locale: String,
    }

    build!(Visitor {
        visits: visits => *visits += 1;
        theme: theme => theme.push_str(" red");
        language: locale => language.push('n');
    });
}

pub mod renamed {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        pub locale: String,
    }

    build!(Visitor {
        visits: visits => *visits += 1;
        theme: theme => theme.push_str(" red");
        language: locale => language.push('n');
    });
}

pub mod reordered {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub language: String,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        pub visits: u32,
    }

    build_of_all!(Visitor);
}

pub mod other_initial {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "dark".to_owned())]
        pub theme: String,
        pub language: String,
    }

    build_of_all!(Visitor);
}

pub mod pinned {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(pin, initial = "dark".to_owned())]
        pub theme: String,
        pub language: String,
    }

    build_of_all!(Visitor);
}

pub mod indexed {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        #[session(index)]
        pub language: String,
    }

    build_of_all!(Visitor);
}

pub mod nested {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u32,
        #[session(nested)]
        pub look: Look,
        pub language: String,
    }

    #[derive(Session)]
    pub struct Look {
        #[session(initial = "light".to_owned())]
        pub theme: String,
    }

    build!(Visitor {
        visits: visits => *visits += 1;
        theme: look.theme => theme.push_str(" red");
        language: language => language.push('n');
    });
}

pub mod widened {
    use super::*;

    #[derive(Session)]
    pub struct Visitor {
        pub visits: u64,
        #[session(initial = "light".to_owned())]
        pub theme: String,
        pub language: String,
    }

    build!(Visitor {
        visits: visits => *visits += u64::from(u32::MAX);
        theme: theme => theme.push_str(" red");
        language: language => language.push('n');
    });
}

pub mod raised {
    use super::*;

    #[derive(Session)]
    #[session(version = 1)]
    pub struct Visitor {
        pub visits: u64,
    }

    build!(Visitor { visits: visits => *visits += 1; });
}

pub mod migrated {
    use super::*;

    #[derive(Session)]
    #[session(version = 1, from = plain::Visitor)]
    pub struct Visitor {
        pub visits: u64,
        pub theme: String,
        pub language: Vec<String>,
    }

    impl From<plain::Visitor> for Visitor {
        fn from(old: plain::Visitor) -> Self {
            Self { visits: old.visits.into(), theme: old.theme, language: vec![old.language] }
        }
    }

    build!(Visitor {
        visits: visits => *visits += 1;
        theme: theme => theme.push_str(" red");
    });
}

/// Types inside of a field.
pub mod inside {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    pub struct Item {
        pub sku: String,
    }

    #[derive(Serialize, Deserialize, Default)]
    pub enum Step {
        #[default]
        Start,
        Asked,
    }

    #[derive(Session)]
    pub struct Visitor {
        pub cart: Vec<Item>,
        pub step: Step,
        pub seen: Option<String>,
    }

    build!(Visitor {
        cart: cart => cart.push(Item { sku: "A1".to_owned() });
        step: step => *step = Step::Asked;
        seen: seen => *seen = Some("today".to_owned());
    });

    pub mod more_fields {
        use super::*;

        #[derive(Serialize, Deserialize)]
        pub struct Item {
            pub sku: String,
            #[serde(default)]
            pub note: String,
        }

        #[derive(Session)]
        pub struct Visitor {
            pub cart: Vec<Item>,
            pub step: Step,
            pub seen: Option<String>,
        }

        build!(Visitor {
            cart: cart => cart.push(Item { sku: "B2".to_owned(), note: "a gift".to_owned() });
            step: step => *step = Step::Asked;
            seen: seen => *seen = Some("now".to_owned());
        });
    }

    pub mod more_variants {
        use super::*;

        #[derive(Serialize, Deserialize, Default)]
        pub enum Step {
            #[default]
            Start,
            Asked,
            Answered(u8),
        }

        #[derive(Session)]
        pub struct Visitor {
            pub cart: Vec<Item>,
            pub step: Step,
            pub seen: Option<String>,
        }

        build!(Visitor {
            cart: cart => cart.push(Item { sku: "B2".to_owned() });
            step: step => *step = Step::Answered(1);
            seen: seen => *seen = Some("now".to_owned());
        });
    }

    pub mod other_type {
        use super::*;

        #[derive(Session)]
        pub struct Visitor {
            pub cart: Vec<Item>,
            pub step: Step,
            pub seen: Option<u64>,
        }

        build!(Visitor {
            cart: cart => cart.push(Item { sku: "B2".to_owned() });
            step: step => *step = Step::Asked;
            seen: seen => *seen = Some(7);
        });
    }
}
