use crate::codec::Codec;
use crate::error::Error;
use crate::schema::Schema;
use crate::session::Session;
use crate::store::{FieldName, FieldValue, StoredField};

/// The encoded fields as loaded.
#[derive(Debug, Clone)]
pub(crate) struct Baseline {
    /// Each field up to the last that is stored, at least; `None` stands for the initial value. Most new sessions are
    /// only looked at, so nothing is made for those.
    fields: Vec<Option<FieldValue>>,
    /// Fields that are also, or only, stored under an alias. The next change of such a field removes that.
    pub(super) stale: Vec<(usize, FieldName)>,
}

impl Baseline {
    /// No field is stored.
    pub(crate) const fn initial() -> Self {
        Self { fields: Vec::new(), stale: Vec::new() }
    }

    /// No field is stored yet, and there is room for this many.
    fn with_room(len: usize) -> Self {
        Self { fields: Vec::with_capacity(len), stale: Vec::new() }
    }

    /// Puts stored fields in the order of this program's. A field's own name goes before its aliases; fields that
    /// this program does not know are left out.
    pub(crate) fn place<T, C>(schema: &Schema<T, C>, fields: Vec<StoredField>) -> Self {
        let mut baseline = Self::with_room(schema.leaves.len());
        let mut hint = 0;
        for field in fields {
            let Some((index, is_alias)) = schema.look_up(&field.name, &mut hint) else { continue };
            if !is_alias || baseline.stored(index).is_none() {
                baseline.store(index, Some(field.value));
            }
            if is_alias {
                baseline.stale.push((index, field.name));
            }
        }
        baseline
    }

    /// The baseline of a value as if it were stored.
    pub(crate) fn of<T: Session, C: Codec>(schema: &Schema<T, C>, value: &T) -> Result<Self, Error> {
        let mut baseline = Self::with_room(T::LEN);
        for (index, leaf) in schema.leaves.iter().enumerate() {
            let encoded = schema.encode(value, index)?;
            schema.read_back(value, index, &encoded)?;
            if leaf.def.pin || !schema.same(value, index, &leaf.initial, &encoded)? {
                baseline.store(index, Some(encoded));
            }
        }
        Ok(baseline)
    }

    /// Whether all fields are at their initial values.
    pub(crate) fn is_initial(&self) -> bool {
        self.fields.iter().all(Option::is_none)
    }

    /// The stored value of a field; `None` stands for the initial value.
    pub(crate) fn stored(&self, index: usize) -> Option<&FieldValue> {
        self.fields.get(index)?.as_ref()
    }

    /// The stored values, and `None` for some of the others.
    pub(super) fn all(&self) -> impl Iterator<Item = Option<&FieldValue>> {
        self.fields.iter().map(Option::as_ref)
    }

    /// Takes over what is stored of a field.
    pub(super) fn store(&mut self, index: usize, value: Option<FieldValue>) {
        match self.fields.get_mut(index) {
            Some(stored) => *stored = value,
            None if value.is_none() => {}
            None => {
                while self.fields.len() < index {
                    self.fields.push(None);
                }
                self.fields.push(value);
            }
        }
    }

    /// The session that has these fields stored.
    pub(crate) fn decode<T: Session, C: Codec>(&self, schema: &Schema<T, C>) -> Result<T, Error> {
        let mut value = schema.stored_initial()?;
        for (index, stored) in self.fields.iter().enumerate() {
            if let Some(bytes) = stored {
                schema.decode(&mut value, index, bytes)?;
            }
        }
        Ok(value)
    }
}
