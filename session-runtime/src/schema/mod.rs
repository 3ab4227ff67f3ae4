//! What a program knows of a session type: its fields, their stored names and initial values.

use std::sync::Arc;

use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::field::{self, Memory};
use crate::session::{FieldDef, Nesting, Session};
use crate::store::{FieldName, FieldValue, IndexEntry, IndexKey, StoredField, Term};

pub(crate) mod agreement;
pub(crate) mod difference;
pub(crate) mod migration;
pub(crate) mod older;
mod stability;
mod watch;

pub use agreement::Agreement;
pub use migration::WriteMigrated;

/// What a program knows of a session type, and how it is encoded.
///
/// The initial values are encoded once, when the schema is made.
pub(crate) struct Schema<T, C = Json> {
    pub(crate) leaves: Vec<Leaf>,
    /// Every name under which a field can be stored, sorted.
    names: Vec<Name>,
    /// Fields whose registered initial value is not the one that `make` gives.
    adopted: Vec<usize>,
    /// Fields marked `pin`.
    pinned: Vec<usize>,
    /// Fields marked `index`.
    indexed: Vec<usize>,
    /// The key of the terms of sensitive fields.
    pub(crate) index_key: Option<IndexKey>,
    /// Those of the pinned fields that older builds do not pin: they left the registered value out of their records.
    elided: Vec<usize>,
    make: Make<T>,
    /// Whether what a commit is about to send is read back before.
    pub(crate) reads_back: bool,
    memory: Memory,
    watch: watch::Watch,
    pub(crate) codec: C,
}

/// How many names are compared one after the other before one is searched for.
const NEAR: usize = 8;

/// Makes the initial value of a session.
pub(crate) type Make<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// A name under which a field can be stored.
#[derive(Debug)]
struct Name {
    text: FieldName,
    index: usize,
    is_alias: bool,
}

/// A tracked field, own or of a nested session.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) name: FieldName,
    aliases: Vec<FieldName>,
    /// The encoded initial value.
    pub(crate) initial: FieldValue,
    pub(crate) def: FieldDef,
    /// Whether its type is one whose values always come back.
    is_plain: bool,
}

impl<T: Session, C: Codec> Schema<T, C> {
    /// The schema of `T` with these initial values.
    ///
    /// # Errors
    /// [`Error::Encode`] when an initial value cannot be encoded, [`Error::UnstableInitial`] when it differs from
    /// call to call and the field is not pinned.
    pub(crate) fn new(codec: C, make: Make<T>) -> Result<Self, Error> {
        let mut leaves = Leaves::default();
        leaves.own::<T>();
        let (first, second) = (make(), make());
        let leaves = leaves.0;
        let pinned = (0..leaves.len()).filter(|&index| leaves[index].def.pin).collect();
        let indexed = (0..leaves.len()).filter(|&index| leaves[index].def.index).collect();
        let mut schema = Self {
            leaves,
            names: Vec::new(),
            adopted: Vec::new(),
            pinned,
            indexed,
            index_key: None,
            elided: Vec::new(),
            make,
            reads_back: true,
            memory: Memory::of(&codec),
            watch: watch::Watch::new(),
            codec,
        };
        for index in 0..schema.leaves.len() {
            let initial = schema.encode(&first, index)?;
            schema.leaves[index].is_plain = field::is_plain(&first, index);
            schema.read_back(&first, index, &initial)?;
            let unstable = !schema.leaves[index].def.pin && {
                let again = schema.encode(&second, index)?;
                !schema.same(&second, index, &initial, &again)?
            };
            if unstable {
                return Err(Error::UnstableInitial { field: schema.leaves[index].name.clone() });
            }
            schema.leaves[index].initial = initial;
        }
        schema.name();
        Ok(schema)
    }

    /// A new session.
    pub(crate) fn initial(&self) -> Result<T, Error> {
        let mut value = (self.make)();
        for &index in &self.adopted {
            self.decode(&mut value, index, &self.leaves[index].initial)?;
        }
        Ok(value)
    }

    /// What a stored session is from which all fields were left out.
    pub(crate) fn stored_initial(&self) -> Result<T, Error> {
        let mut value = self.initial()?;
        for &index in &self.elided {
            self.decode(&mut value, index, &self.leaves[index].initial)?;
        }
        Ok(value)
    }

    /// The encoding of a field of `value`.
    pub(crate) fn encode(&self, value: &T, index: usize) -> Result<FieldValue, Error> {
        let mut out = Vec::new();
        field::encode(&self.codec, value, index, &mut out).map_err(|source| self.encode_error(index, source))?;
        Ok(out.into())
    }

    /// Decodes a field into `value`.
    pub(crate) fn decode(&self, value: &mut T, index: usize, bytes: &[u8]) -> Result<(), Error> {
        field::decode(&self.codec, value, index, bytes).map_err(|source| self.decode_error(index, source))
    }

    /// Whether two encodings of a field stand for the same value; `value` only tells the field's type.
    pub(crate) fn same(&self, value: &T, index: usize, one: &[u8], other: &[u8]) -> Result<bool, Error> {
        if one == other {
            return Ok(true);
        }
        field::same(&self.codec, value, index, self.baseline(index, one, false), other)
            .map_err(|source| self.decode_error(index, source))
    }

    /// Whether a field that this schema encoded differs from a baseline.
    pub(crate) fn differs(&self, value: &T, index: usize, encoded: &[u8], baseline: &[u8]) -> Result<bool, Error> {
        let baseline = self.baseline(index, baseline, self.memory.written.has(index as u64, baseline));
        field::differs(&self.codec, value, index, encoded, baseline).map_err(|source| self.encode_error(index, source))
    }

    /// Whether a field that this schema encoded is back at its initial value.
    pub(crate) fn is_initial(&self, value: &T, index: usize, encoded: &[u8]) -> Result<bool, Error> {
        // An adopted value is encoded as another build does it.
        let initial = self.baseline(index, &self.leaves[index].initial, !self.adopted.contains(&index));
        field::differs(&self.codec, value, index, encoded, initial)
            .map(|differs| !differs)
            .map_err(|source| self.encode_error(index, source))
    }

    /// Fails if a field that this schema encoded would not come back.
    pub(crate) fn read_back(&self, value: &T, index: usize, encoded: &[u8]) -> Result<(), Error> {
        if self.reads_back && !self.leaves[index].is_plain {
            field::read_back(&self.codec, value, index, encoded, &self.memory)
                .map_err(|source| self.encode_error(index, source))?;
        }
        Ok(())
    }

    /// Remembers an encoding that is about to be sent.
    pub(crate) fn note(&self, index: usize, encoded: &[u8]) {
        self.memory.written.note(index as u64, encoded);
    }

    fn baseline<'a>(&self, index: usize, bytes: &'a [u8], is_ours: bool) -> field::Baseline<'a> {
        field::Baseline {
            bytes,
            is_human_readable: self.memory.is_human_readable,
            is_ours,
            is_unordered: self.leaves[index].def.unordered,
        }
    }

    /// The session that a store has these fields of. A field's own name goes before its aliases.
    pub(crate) fn stored(&self, fields: &[StoredField]) -> Result<T, Error> {
        let mut value = self.stored_initial()?;
        for is_alias in [true, false] {
            for field in fields.iter().rev() {
                if let Some((index, alias)) = self.look_up(&field.name, &mut 0)
                    && alias == is_alias
                {
                    self.decode(&mut value, index, &field.value)?;
                }
            }
        }
        Ok(value)
    }

    /// What the type of a field reads.
    pub(crate) fn shape(&self, value: &T, index: usize) -> serde_json::Value {
        field::shape(value, index, self.memory.is_human_readable)
    }

    /// The fields marked `pin`.
    pub(crate) fn pinned(&self) -> &[usize] {
        &self.pinned
    }

    /// The fields marked `index`.
    pub(crate) fn indexed(&self) -> &[usize] {
        &self.indexed
    }

    /// A sensitive field that is indexed although there is no key to hide its values with.
    pub(crate) fn lacks_index_key(&self) -> Option<&FieldName> {
        let indexed = self.indexed.iter().map(|&index| &self.leaves[index]);
        indexed.filter(|_| self.index_key.is_none()).find(|leaf| leaf.def.sensitive).map(|leaf| &leaf.name)
    }

    /// By what a session with this value in an indexed field can be found.
    pub(crate) fn index_entry(&self, index: usize, encoded: &[u8]) -> IndexEntry {
        let Leaf { name, def, .. } = &self.leaves[index];
        let term = match &self.index_key {
            Some(key) if def.sensitive => Term::keyed(key, name, encoded),
            _ => Term::of(encoded),
        };
        IndexEntry { field: name.clone(), term }
    }

    pub(crate) fn encode_error(&self, index: usize, source: crate::codec::CodecError) -> Error {
        let leaf = &self.leaves[index];
        Error::Encode { field: leaf.name.clone(), source: leaf.shown(source) }
    }

    pub(crate) fn decode_error(&self, index: usize, source: crate::codec::CodecError) -> Error {
        let leaf = &self.leaves[index];
        Error::Decode { field: leaf.name.clone(), source: leaf.shown(source) }
    }

    /// Sorts the names; a field's own name goes before the aliases of others.
    fn name(&mut self) {
        let mut names = Vec::new();
        for (index, leaf) in self.leaves.iter().enumerate() {
            names.push(Name { text: leaf.name.clone(), index, is_alias: false });
            names.extend(leaf.aliases.iter().map(|alias| Name { text: alias.clone(), index, is_alias: true }));
        }
        names.sort_by(|one, other| (&one.text, one.is_alias).cmp(&(&other.text, other.is_alias)));
        names.dedup_by(|later, earlier| later.text == earlier.text);
        self.names = names;
    }
}

impl<T, C> Schema<T, C> {
    /// The field stored under `name`, and whether that is an alias. `hint` makes looking up names in their order cheap;
    /// it starts at zero.
    #[inline]
    pub(crate) fn look_up(&self, name: &FieldName, hint: &mut usize) -> Option<(usize, bool)> {
        // Some fields in between are not stored.
        for (known, place) in self.names.get(*hint..).unwrap_or_default().iter().zip(*hint..).take(NEAR) {
            if known.text == *name {
                *hint = place + 1;
                return Some((known.index, known.is_alias));
            }
        }
        let place = self.names.binary_search_by(|known| known.text.cmp(name)).ok()?;
        *hint = place + 1;
        self.names.get(place).map(|known| (known.index, known.is_alias))
    }
}

impl Leaf {
    /// An error about this field that shows nothing it must not.
    fn shown(&self, error: crate::codec::CodecError) -> crate::codec::CodecError {
        if self.def.sensitive { crate::codec::CodecError::redacted() } else { error }
    }

    /// The older names of this field.
    pub(crate) fn aliases(&self) -> &[FieldName] {
        &self.aliases
    }

    /// Whether `name` is an older name of this field.
    pub(crate) fn has_alias(&self, name: &str) -> bool {
        self.aliases.iter().any(|alias| &**alias == name)
    }
}

/// The fields that a session type marks as sensitive.
pub(crate) struct Sensitive(Vec<Leaf>);

impl Sensitive {
    pub(crate) fn of<T: Session>() -> Self {
        let mut leaves = Leaves::default();
        leaves.own::<T>();
        leaves.0.retain(|leaf| leaf.def.sensitive);
        Self(leaves.0)
    }

    /// Whether a stored name is one of theirs.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|leaf| &*leaf.name == name || leaf.has_alias(name))
    }
}

/// Collects the fields of a session and of those nested in it.
#[derive(Default)]
struct Leaves(Vec<Leaf>);

impl Leaves {
    fn own<T: Session>(&mut self) {
        let own = T::FIELDS.iter().map(|def| Leaf {
            name: FieldName::from_static(def.name),
            aliases: def.aliases.iter().copied().map(FieldName::from_static).collect(),
            initial: FieldValue::default(),
            def: *def,
            is_plain: false,
        });
        self.0.extend(own);
        T::nested(self);
    }
}

impl Nesting for Leaves {
    fn nest<N: Session>(&mut self, outer: FieldDef) {
        let start = self.0.len();
        self.own::<N>();
        for leaf in &mut self.0[start..] {
            let prefixes = std::iter::once(outer.name).chain(outer.aliases.iter().copied());
            let suffixes = || std::iter::once(&leaf.name).chain(&leaf.aliases);
            let mut names =
                prefixes.flat_map(|prefix| suffixes().map(move |suffix| format!("{prefix}.{suffix}").into()));
            let name: Option<FieldName> = names.next();
            let aliases = names.collect();
            leaf.aliases = aliases;
            leaf.name = name.unwrap_or_else(|| leaf.name.clone());
            leaf.def.pin |= outer.pin;
            leaf.def.reject |= outer.reject;
            leaf.def.sensitive |= outer.sensitive;
            // Sessions are found by fields of their own.
            leaf.def.index = false;
        }
    }
}
