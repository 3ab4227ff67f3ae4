use session_runtime::store::StoredField;
use session_runtime::{Handle, Session, merge};

/// What the simulated handlers keep.
#[derive(Session)]
#[session(name = "simulated")]
pub struct Visitor {
    /// Plain fields: the later commit wins, and says so.
    pub left: u32,
    pub right: u32,
    /// Two commits that overlap here: the later one is refused.
    #[session(conflict = "reject")]
    pub owner: u32,
    /// Each commit that adds to it adds a number of its own, so it shows whose changes are in a session, and how often.
    #[session(merge = merge::append)]
    pub log: Vec<u32>,
    /// Changed by `update` alone, which adds a number of its own; nothing merges it.
    pub tally: Vec<u32>,
}

/// How many fields are plain numbers.
pub const REGISTERS: usize = 3;

/// The one that rejects.
pub const OWNER: usize = 2;

pub const REGISTER_NAMES: [&str; REGISTERS] = ["left", "right", "owner"];

/// What a session shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub registers: [u32; REGISTERS],
    pub log: Vec<u32>,
    pub tally: Vec<u32>,
}

impl View {
    pub fn of(visitor: &Visitor) -> Self {
        let Visitor { left, right, owner, log, tally } = visitor;
        Self { registers: [*left, *right, *owner], log: log.clone(), tally: tally.clone() }
    }

    /// What these stored fields mean.
    pub fn stored(fields: &[StoredField]) -> Self {
        let mut view = Self::default();
        for field in fields {
            let number = || serde_json::from_slice(&field.value).expect("a number");
            let numbers = || serde_json::from_slice(&field.value).expect("numbers");
            match &*field.name {
                "left" => view.registers[0] = number(),
                "right" => view.registers[1] = number(),
                "owner" => view.registers[2] = number(),
                "log" => view.log = numbers(),
                "tally" => view.tally = numbers(),
                other => panic!("no field of this session: {other}"),
            }
        }
        view
    }

    /// Whether a session that shows this is not stored.
    pub fn is_initial(&self) -> bool {
        *self == Self::default()
    }
}

/// What a handler changes before it commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    /// New values, none of which was used before but zero, the initial one.
    pub registers: [Option<u32>; REGISTERS],
    /// What it adds to the log.
    pub logged: Option<u32>,
}

impl Edits {
    pub fn make(&self, visitor: &mut Handle<Visitor>) {
        if let Some(left) = self.registers[0] {
            *visitor.edit().left() = left;
        }
        if let Some(right) = self.registers[1] {
            *visitor.edit().right() = right;
        }
        if let Some(owner) = self.registers[OWNER] {
            *visitor.edit().owner() = owner;
        }
        visitor.edit().log().extend(self.logged);
    }
}
