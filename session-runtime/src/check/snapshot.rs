use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::initial;
use crate::codec::Codec;
use crate::error::Error;
use crate::schema::difference::Build;
use crate::schema::{Agreement, Leaf, Schema, older};
use crate::session::Session;
use crate::sessions::Sessions;
use crate::store::{RegisteredField, Registration, RegistrationId};

/// A session type, written down: what decides whether two builds can read each other's sessions.
///
/// Its text, by `Display` and `FromStr`, is what [`snapshot`](super::snapshot) keeps in a file.
///
/// ```
/// use session_runtime::check::Snapshot;
/// use session_runtime::{MemoryStore, Session, Sessions};
///
/// #[derive(Session)]
/// #[session(name = "visitor")]
/// struct Visitor {
///     visits: u32,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let snapshot = Snapshot::of(&Sessions::<Visitor>::new(MemoryStore::new()))?;
/// assert_eq!(snapshot.name(), "visitor");
/// assert!(snapshot.to_string().contains(r#"{"name": "visits", "type": "u32", "initial": 0}"#));
/// assert_eq!(snapshot.to_string().parse::<Snapshot>()?, snapshot);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub(super) name: String,
    pub(super) version: u32,
    /// The older versions that `from` leads to.
    pub(super) reads: Vec<u32>,
    pub(super) codec: String,
    pub(super) session_type: String,
    /// Whether the program goes on with registered values where its own differ.
    pub(super) adopts: bool,
    pub(super) fields: Vec<SnapshotField>,
    /// Fields of this version that were taken out on purpose.
    pub(super) given_up: BTreeSet<String>,
}

/// A field of a session type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SnapshotField {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) shape: Value,
    /// `None` if it is pinned.
    pub(super) initial: Option<Value>,
    /// What is registered of it where that is something else: a value, or that it is pinned.
    pub(super) registered: Option<Option<Value>>,
    /// Other attributes that say how it is stored.
    pub(super) attributes: Vec<String>,
}

impl Snapshot {
    /// Writes down the session type of these sessions. Their store is not called.
    ///
    /// # Errors
    /// [`Error::Encode`] when an initial value cannot be encoded, [`Error::UnstableInitial`] when one differs from call
    /// to call.
    pub fn of<T: Session, C: Codec>(sessions: &Sessions<T, C>) -> Result<Self, Error> {
        let inner = &sessions.inner;
        let own = Self::of_schema(&inner.schema()?)?;
        Ok(Self { name: inner.name.to_string(), adopts: inner.settings.agreement == Agreement::Adopt, ..own })
    }

    pub(super) fn of_schema<T: Session, C: Codec>(schema: &Schema<T, C>) -> Result<Self, Error> {
        let value = schema.initial()?;
        let fields = schema.leaves.iter().enumerate().map(|(index, leaf)| SnapshotField {
            name: leaf.name.to_string(),
            aliases: leaf.aliases().iter().map(ToString::to_string).collect(),
            shape: sorted(schema.shape(&value, index)),
            initial: (!leaf.def.pin).then(|| sorted(initial::of(schema, &value, index))),
            registered: None,
            attributes: attributes(leaf),
        });
        Ok(Self {
            name: T::CONTAINER.name.to_owned(),
            version: T::CONTAINER.version,
            reads: older::reached::<T>(),
            codec: C::NAME.to_owned(),
            session_type: type_name::<T>().to_owned(),
            adopts: false,
            fields: fields.collect(),
            given_up: BTreeSet::new(),
        })
    }

    /// The name of the sessions.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of their type.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The field that has this name now or had it once.
    pub(super) fn called(&self, name: &str) -> Option<&SnapshotField> {
        let own = self.fields.iter().find(|field| field.name == name);
        own.or_else(|| self.fields.iter().find(|field| field.aliases.iter().any(|alias| alias == name)))
    }

    /// The registration of this type, as a program sees it that has these initial values.
    pub(super) fn registration<T: Session, C: Codec>(&self, own: &Schema<T, C>) -> Registration {
        let leaf = |name: &str| (0..own.len()).find(|index| own.names(*index).any(|known| known == name));
        let fields = self.fields.iter().map(|field| RegisteredField {
            name: field.name.as_str().into(),
            initial: field.registered().map(|value| {
                let own_value = leaf(&field.name).map(|index| &own.leaves[index].initial);
                initial::to_bytes(&own.codec, value, own_value)
            }),
            sensitive: field.is_sensitive(),
        });
        let registration = Registration {
            id: RegistrationId(0),
            name: self.name.as_str().into(),
            version: self.version,
            codec: self.codec.as_str().into(),
            fields: fields.collect(),
        };
        registration.of(&self.session_type)
    }

    /// Keeps what stays registered of a version when its type changes: what was agreed on first, and the names that
    /// were given up.
    pub(super) fn follow(mut self, deployed: &Self) -> Self {
        if (&self.name, self.version) != (&deployed.name, deployed.version) {
            return self;
        }
        let mut known = BTreeMap::new();
        let mut given_up = deployed.given_up.clone();
        for field in &deployed.fields {
            match self.called(&field.name) {
                Some(own) if own.name == field.name => _ = known.insert(own.name.clone(), field),
                Some(own) => _ = known.entry(own.name.clone()).or_insert(field),
                None => _ = given_up.insert(field.name.clone()),
            }
        }
        given_up.retain(|name| self.called(name).is_none());
        self.given_up = given_up;
        for field in &mut self.fields {
            let Some(known) = known.get(&field.name) else { continue };
            let registered = known.registered();
            let stays = registered.is_some() != field.initial.is_some() || self.adopts;
            field.registered = (stays && registered != field.initial.as_ref()).then(|| registered.cloned());
        }
        self
    }
}

impl SnapshotField {
    /// All its names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }

    /// The initial value that is registered; `None` if it is registered as pinned.
    pub(super) fn registered(&self) -> Option<&Value> {
        self.registered.as_ref().unwrap_or(&self.initial).as_ref()
    }

    pub(super) fn is_sensitive(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute == SENSITIVE)
    }
}

const SENSITIVE: &str = "sensitive";

/// In the same order in every program: another crate can tell `serde_json` to keep the order of names.
fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

fn attributes(leaf: &Leaf) -> Vec<String> {
    let def = leaf.def;
    let all = [
        ("pin", def.pin),
        ("index", def.index),
        (SENSITIVE, def.sensitive),
        ("unordered", def.unordered),
        ("conflict = \"reject\"", def.reject),
    ];
    all.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned()).collect()
}

/// The type by what was written down of it.
impl Build for Snapshot {
    fn codec(&self) -> &str {
        &self.codec
    }

    fn session_type(&self) -> &str {
        &self.session_type
    }

    fn len(&self) -> usize {
        self.fields.len()
    }

    fn names(&self, index: usize) -> impl Iterator<Item = &str> {
        self.fields[index].names()
    }

    fn is_pinned(&self, index: usize) -> bool {
        self.fields[index].initial.is_none()
    }

    fn begins_with(&self, index: usize, encoded: &[u8]) -> bool {
        self.fields[index].initial.as_ref().is_some_and(|value| initial::is(value, &self.codec, encoded))
    }

    fn reads(&self, _: usize, _: &[u8]) -> bool {
        true
    }
}
