//! The statements, with the schema and the prefix of one store written into them.

use std::sync::OnceLock;

use super::super::{StoreError, StoreErrorKind};
use super::arguments::Argument;

/// What a fresh database is given; the default names stand in it, so that it can be read and run as it is.
const SCHEMA: &str = include_str!("schema.sql");

/// The version of [`SCHEMA`].
pub(super) const VERSION: i32 = 1;

/// The oldest server that knows all that [`SCHEMA`] uses.
pub(super) const OLDEST_SERVER: i32 = 130_000;

/// The header's columns, in the order in which they are read.
const HEADER: &str = "(c.header).incarnation, (c.header).origin, (c.header).created_at, (c.header).version, \
    (c.header).registration, (c.header).fixed_end, (c.header).state, (c.header).revision, (c.header).expires_at, \
    (c.header).retained_until, (c.header).commits";

/// Where the tables and functions are.
#[derive(Debug, Clone)]
pub(super) struct Names {
    schema: String,
    prefix: String,
}

impl Names {
    pub(super) fn new(schema: &str, prefix: &str) -> Result<Self, StoreError> {
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let starts_well = |name: &str| !name.starts_with(|first: char| first.is_ascii_digit());
        if schema.is_empty() || schema.len() > 63 || !is_name(schema) || !starts_well(schema) {
            return Err(StoreError::new(
                StoreErrorKind::Configuration,
                "the name of a PostgreSQL schema has 1 to 63 letters, digits and underscores, no digit first",
            ));
        }
        // The longest name behind a prefix has 16 letters, and an index of it some more.
        if prefix.len() > 32
            || !is_name(prefix)
            || !starts_well(prefix)
            || prefix.bytes().any(|b| b.is_ascii_uppercase())
        {
            return Err(StoreError::new(
                StoreErrorKind::Configuration,
                "the prefix of the tables in PostgreSQL has at most 32 small letters, digits and underscores, no digit \
                 first",
            ));
        }
        Ok(Self { schema: schema.to_owned(), prefix: prefix.to_owned() })
    }

    /// A statement written for the default names.
    fn put_into(&self, sql: &str) -> String {
        sql.replace("sessions.", &format!("\"{}\".{}", self.schema, self.prefix))
    }

    /// What creates the tables and functions in a schema that exists.
    pub(super) fn create(&self) -> String {
        self.put_into(SCHEMA)
    }

    pub(super) fn create_schema(&self) -> String {
        format!("CREATE SCHEMA \"{}\"", self.schema)
    }

    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// The table that holds the version.
    pub(super) fn version_table(&self) -> String {
        format!("{}schema_version", self.prefix)
    }

    /// Takes the lock under which instances create tables: one for each schema, until the transaction ends.
    pub(super) fn lock(&self) -> String {
        format!("SELECT pg_advisory_xact_lock(hashtextextended('session store in {}', 0))", self.schema)
    }
}

/// A call of a function by the names of its parameters.
#[derive(Debug)]
pub(super) struct Call {
    answer: String,
    function: String,
    sql: OnceLock<String>,
}

impl Call {
    /// The statement for these arguments, whose names are the same for every call.
    pub(super) fn sql(&self, arguments: &[Argument<'_>]) -> &str {
        self.sql.get_or_init(|| {
            let named = arguments.iter().zip(1..).map(|((name, _), number)| format!("{name} => ${number}"));
            let named = named.collect::<Vec<_>>().join(", ");
            format!("SELECT {} FROM {}({named}) c", self.answer, self.function)
        })
    }
}

/// The statements of a running store.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) load: Call,
    pub(super) commit: Call,
    pub(super) renew: Call,
    pub(super) register: Call,
    pub(super) registration: String,
    pub(super) registrations: String,
    pub(super) withdraw: Call,
    pub(super) keys: String,
    pub(super) count: String,
    pub(super) purge: Call,
    pub(super) version: String,
}

impl Statements {
    pub(super) fn new(names: &Names) -> Self {
        let call = |answer: &str, function: &str| Call {
            answer: answer.to_owned(),
            function: names.put_into(&format!("sessions.{function}")),
            sql: OnceLock::new(),
        };
        let reply = format!("c.answer, c.was_stored, c.now, c.fields, c.field_values, {HEADER}");
        let registrations = |filter: &str| {
            names.put_into(&format!(
                "SELECT r.name, r.version, r.id, r.codec, f.fields, f.initials, f.sensitive \
                 FROM sessions.registration r LEFT JOIN LATERAL (\
                 SELECT array_agg(f.field ORDER BY f.position) AS fields, \
                 array_agg(f.initial ORDER BY f.position) AS initials, \
                 array_agg(f.sensitive ORDER BY f.position) AS sensitive \
                 FROM sessions.registered_field f WHERE f.name = r.name AND f.version = r.version\
                 ) f ON true {filter} ORDER BY r.name, r.version"
            ))
        };
        let stored = "t.name = $1 AND t.state = 0 \
             AND (t.expires_at IS NULL OR t.expires_at > (SELECT sessions.clock($2)))";
        Self {
            load: call(&format!("c.now, c.touched, c.fields, c.field_values, {HEADER}"), "load"),
            commit: call(&reply, "commit"),
            renew: call(&reply, "renew"),
            register: call("true", "register"),
            registration: registrations("WHERE r.name = $1 AND r.version = $2"),
            registrations: registrations(""),
            withdraw: call("c", "withdraw"),
            keys: names.put_into(&format!(
                "SELECT t.key FROM sessions.header t WHERE {stored} AND t.key > $3 ORDER BY t.key LIMIT $4"
            )),
            count: names.put_into(&format!("SELECT count(*) FROM sessions.header t WHERE {stored}")),
            purge: call("c.looked_at, c.removed", "purge"),
            version: names.put_into("SELECT max(version) FROM sessions.schema_version"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arguments::Value;
    use super::*;

    #[test]
    fn statements_name_the_schema_and_the_prefix() {
        let names = Names::new("App", "web_").unwrap();
        assert_eq!(names.version_table(), "web_schema_version");
        let load = Statements::new(&names).load;
        let sql = load.sql(&[("p_name", Value::Text("Visitor")), ("p_key", Value::Bytes(b"42"))]);
        assert!(sql.ends_with("FROM \"App\".web_load(p_name => $1, p_key => $2) c"), "{sql}");
        assert!(!names.create().contains("sessions."));
    }

    #[test]
    fn names_that_could_be_sql_are_refused() {
        for schema in ["", "a b", "a\"b", "1a", "a;b", "é", &"a".repeat(64)] {
            assert_eq!(Names::new(schema, "").unwrap_err().kind(), StoreErrorKind::Configuration, "{schema}");
        }
        for prefix in ["a.b", "A", "$", "a'b", "2_", &"a".repeat(33)] {
            assert_eq!(Names::new("sessions", prefix).unwrap_err().kind(), StoreErrorKind::Configuration, "{prefix}");
        }
    }
}
