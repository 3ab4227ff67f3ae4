//! Compares what a store holds with the model, field by field.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use session_runtime::expiry::ClockOffset;
use session_runtime::store::{Found, Housekeeping, Key, Load, Store};
use session_runtime::{AnyStore, Error};

use super::error::ReplayError;
use super::model::{Expected, Model};
use super::policies::{Job, Policy, RECORD, sessions};

/// How many differences are reported in full.
const REPORTED: usize = 10;

/// How many keys are listed at a time.
const BATCH: usize = 1000;

/// What was found in a store.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many records each policy left, in the order of [`Policy::ALL`].
    pub records: [u64; 3],
    /// How many fields were compared.
    pub compared: u64,
    /// How many differ from the model.
    pub differing: u64,
    /// The first of those.
    pub differences: Vec<Difference>,
}

/// A field that is not what the model says.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Whose sessions these are.
    pub policy: Policy,
    /// The name of the client.
    pub client: String,
    /// The field, or what else differs.
    pub field: String,
    /// What the store holds.
    pub stored: Option<Value>,
    /// What the model says.
    pub expected: Option<Value>,
}

/// Compares the records of all policies in `store`, a connection that took no part in the replay.
pub(super) async fn verify(store: &AnyStore, job: &Job, model: &Model) -> Result<Findings, ReplayError> {
    let mut findings = Findings::default();
    let sessions = sessions(store.clone());
    for (policy, records) in Policy::ALL.into_iter().zip(0..) {
        let mut listed = list(store, policy, job).await?;
        let count = listed.values().sum();
        if let Some(records) = findings.records.get_mut(records) {
            *records = count;
        }
        for ((client, key), expected) in job.traffic.clients.iter().zip(&job.keys).zip(&model.clients) {
            let mut found = Comparison { findings: &mut findings, policy, client };
            let listed = listed.remove(key).unwrap_or_default();
            found.compare("times listed", Some(listed.into()), Some(u64::from(is_stored(policy, expected)).into()));

            let stored = read(store, policy, key).await?;
            match policy {
                Policy::ChangedFields => {
                    let differing = expected.state.differing_fields();
                    found.compare_fields("stored ", &stored, &differing);
                    // The same again as a program reads it, with the fields that are not stored.
                    let visitor = sessions.load(key).await?;
                    found.compare_fields("", &visitor.fields(), &expected.state.fields());
                }
                Policy::EveryRequest | Policy::WhenBorrowed => {
                    let expected = if is_stored(policy, expected) { expected.state.fields() } else { Map::new() };
                    let stored = stored.get(RECORD).and_then(Value::as_object).cloned().unwrap_or_default();
                    found.compare_fields("", &stored, &expected);
                }
            }
        }
        for key in listed.into_keys() {
            let mut found = Comparison { findings: &mut findings, policy, client: &key };
            found.compare("times listed", Some(1.into()), None);
        }
    }
    Ok(findings)
}

/// Whether a policy keeps a record of a client.
fn is_stored(policy: Policy, expected: &Expected) -> bool {
    match policy {
        Policy::EveryRequest => true,
        Policy::WhenBorrowed => expected.marks,
        Policy::ChangedFields => !expected.state.differing_fields().is_empty(),
    }
}

/// The keys of this replay that the store lists, and how often.
async fn list(store: &AnyStore, policy: Policy, job: &Job) -> Result<HashMap<String, u64>, ReplayError> {
    let mut listed = HashMap::new();
    let mut after = None;
    loop {
        let keys = store.keys(policy.namespace(), after, BATCH, ClockOffset::default()).await?;
        for key in keys.keys.iter().filter(|key| key.id().starts_with(&job.run)) {
            *listed.entry(key.id().to_owned()).or_default() += 1;
        }
        after = keys.next;
        if after.is_none() {
            return Ok(listed);
        }
    }
}

/// The fields of a record as they are stored, without help from the runtime.
async fn read(store: &AnyStore, policy: Policy, key: &str) -> Result<Map<String, Value>, ReplayError> {
    let key = Key::new(Arc::from(policy.namespace()), key).map_err(Error::from)?;
    let load = Load::look(ClockOffset::default());
    match store.load(&key, load).await?.found {
        Found::Absent { .. } => Ok(Map::new()),
        Found::Record(record) => {
            let decode = |value: &[u8]| serde_json::from_slice(value);
            record.fields.iter().map(|field| Ok((field.name.to_string(), decode(&field.value)?))).collect()
        }
    }
}

/// Compares what was found of one client.
struct Comparison<'a> {
    findings: &'a mut Findings,
    policy: Policy,
    client: &'a str,
}

impl Comparison<'_> {
    fn compare_fields(&mut self, what: &str, stored: &Map<String, Value>, expected: &Map<String, Value>) {
        for (field, value) in expected {
            self.compare(&format!("{what}{field}"), stored.get(field).cloned(), Some(value.clone()));
        }
        for (field, value) in stored.iter().filter(|(field, _)| !expected.contains_key(*field)) {
            self.compare(&format!("{what}{field}"), Some(value.clone()), None);
        }
    }

    fn compare(&mut self, field: &str, stored: Option<Value>, expected: Option<Value>) {
        self.findings.compared += 1;
        if stored == expected {
            return;
        }
        self.findings.differing += 1;
        if self.findings.differences.len() < REPORTED {
            let (policy, client, field) = (self.policy, self.client.to_owned(), field.to_owned());
            self.findings.differences.push(Difference { policy, client, field, stored, expected });
        }
    }
}
