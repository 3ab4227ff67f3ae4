//! What a deployment would say of a session type, and what would be lost that a deployment cannot see.

use std::sync::Arc;

use serde_json::Value;

use super::difference::{Difference, Rule};
use super::initial;
use super::shapes;
use super::snapshot::{Snapshot, SnapshotField};
use crate::codec::Codec;
use crate::error::Error;
use crate::schema::Schema;
use crate::schema::difference::{Build, Difference as Registered, differences};
use crate::session::{Previous, Session};
use crate::sessions::Sessions;
use crate::store::{RegisteredField, Registration};

/// In what the type of these sessions differs from the one that is deployed.
pub(super) fn compare<T: Session, C: Codec>(
    deployed: &Snapshot,
    sessions: &Sessions<T, C>,
) -> Result<Vec<Difference>, Error> {
    let (schema, own) = (sessions.inner.schema()?, Snapshot::of(sessions)?);
    if own.name != deployed.name {
        return Ok(vec![Difference::name(&deployed.name, &own.name)]);
    }
    if own.version < deployed.version {
        return Ok(vec![Difference::lowered(deployed.version, own.version)]);
    }
    let mut found = if own.version == deployed.version {
        same_version(deployed, &own, &schema)
    } else {
        let older = T::previous(Older { deployed, codec: &schema.codec, below: own.version })?;
        let mut found = older.unwrap_or_else(|| vec![Difference::no_migration(deployed.version, own.version)]);
        if own.reads.contains(&deployed.version) {
            found.push(Difference::raised(deployed.version, own.version));
        }
        found
    };
    // Sessions of these versions can still be there.
    let unreached = deployed.reads.iter().filter(|version| !own.reads.contains(version));
    found.extend(unreached.map(|version| Difference::no_migration(*version, own.version)));
    Ok(found)
}

/// In what a type differs from what a store has registered of its name, in all versions.
pub(crate) fn registered(own: &Snapshot, known: &[Registration]) -> Vec<Difference> {
    let newest = known.iter().map(|one| one.version).max().filter(|newest| *newest > own.version);
    let mut found: Vec<_> = newest.map(|newest| Difference::lowered(newest, own.version)).into_iter().collect();
    if let Some(same) = known.iter().find(|one| one.version == own.version) {
        found.extend(Judge { own, build: own, deployed: None }.of(same));
        return found;
    }
    let older = known.iter().map(|one| one.version).filter(|version| *version < own.version);
    let unreached = older.filter(|version| !own.reads.contains(version));
    found.extend(unreached.map(|version| Difference::no_migration(version, own.version)));
    found
}

fn same_version<T: Session, C: Codec>(deployed: &Snapshot, own: &Snapshot, schema: &Schema<T, C>) -> Vec<Difference> {
    let judge = Judge { own, build: schema, deployed: Some(deployed) };
    let mut found = judge.of(&deployed.registration(schema));
    for field in &deployed.fields {
        let Some(now) = own.called(&field.name) else { continue };
        let change = shapes::change(&field.shape, &now.shape);
        found.extend(change.map(|change| Difference::field_type(&now.name, &change, own.version)));
        let lost = field.aliases.iter().filter(|alias| now.names().all(|name| name != *alias));
        found.extend(lost.map(|alias| Difference::alias(&now.name, alias)));
    }
    found
}

/// Looks at a type beside what is known of the deployed one: its snapshot, or its registration alone.
struct Judge<'a, B> {
    own: &'a Snapshot,
    build: &'a B,
    deployed: Option<&'a Snapshot>,
}

impl<B: Build> Judge<'_, B> {
    fn of(&self, known: &Registration) -> Vec<Difference> {
        let (mut found, mut gone, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for difference in differences(self.build, known) {
            match difference {
                Registered::Type(was) => {
                    found.push(Difference::other_type(was, &self.own.session_type));
                }
                Registered::Codec => found.push(Difference::codec(&known.codec, &self.own.codec)),
                Registered::New(index) => new.push(&self.own.fields[index]),
                Registered::Gone(field) => gone.push(&*field.name),
                Registered::Initial(index, field, encoded) => {
                    found.extend(self.initial(index, field, encoded));
                }
                // Each of these lets both builds go on.
                Registered::Renamed(..) | Registered::Pinned(..) | Registered::Unpinned(_) => {}
            }
        }
        let given_up = &self.deployed.unwrap_or(self.own).given_up;
        let reused = new.iter().filter(|field| given_up.contains(&field.name));
        found.extend(reused.map(|field| Difference::reused(&field.name)));
        for name in gone.into_iter().filter(|name| !given_up.contains(*name)) {
            let renamed = new.iter().enumerate().find_map(|(place, field)| Some((place, self.renamed(name, field)?)));
            found.push(match renamed {
                Some((place, difference)) => {
                    new.remove(place);
                    difference
                }
                None => Difference::gone(name),
            });
        }
        found
    }

    /// Another initial value; nothing where the program goes on with the registered one.
    fn initial(&self, index: usize, field: &RegisteredField, encoded: &[u8]) -> Option<Difference> {
        let own = &self.own.fields[index];
        let shown = field.show(encoded, own.is_sensitive());
        // Of a sensitive value a snapshot has a hash alone, which says that it changed and no more.
        if !encoded.is_empty() && !self.build.reads(index, encoded) {
            // A change of the type is told by a sentence of its own.
            let changed = self.shape(&field.name).is_some_and(|shape| *shape != own.shape);
            return (!changed).then(|| Difference::unreadable_initial(&own.name, &shown, self.own.version));
        }
        let value = own.initial.as_ref().map(initial::show).unwrap_or_default();
        (!self.own.adopts).then(|| Difference::initial(&own.name, &shown, &value))
    }

    /// Whether a new field can be one that is gone: it has the same type, as far as types are known.
    fn renamed(&self, gone: &str, new: &SnapshotField) -> Option<Difference> {
        let is_other = self.shape(gone).is_some_and(|shape| *shape != new.shape);
        if is_other { None } else { Difference::renamed(gone, &new.name) }
    }

    fn shape(&self, name: &str) -> Option<&Value> {
        self.deployed?.fields.iter().find(|field| field.name == name).map(|field| &field.shape)
    }
}

/// Looks for the type that the deployed version has in this build, and at what became of it.
struct Older<'a, C> {
    deployed: &'a Snapshot,
    codec: &'a C,
    below: u32,
}

impl<T: Session, C: Codec> Previous<T> for Older<'_, C> {
    type Output = Result<Option<Vec<Difference>>, Error>;

    fn from<Old: Session>(self) -> Self::Output
    where
        T: From<Old>,
    {
        let (deployed, version) = (self.deployed, Old::CONTAINER.version);
        // Versions fall on the way back; a chain in a circle must end all the same.
        if version < deployed.version || version >= self.below {
            return Ok(None);
        }
        if version > deployed.version {
            return Old::previous(Older { below: version, ..self });
        }
        let schema = Schema::<Old, C>::new(self.codec.clone(), Arc::new(Old::initial))?;
        // It goes on with the registered initial values, and it has another name.
        let own = Snapshot { adopts: true, ..Snapshot::of_schema(&schema)? };
        let found = same_version(deployed, &own, &schema).into_iter().filter(|one| one.rule != Rule::Type);
        Ok(Some(found.map(|one| one.in_older_type(version)).collect()))
    }

    fn none(self) -> Self::Output {
        Ok(None)
    }
}
