//! The statements, with the schema and the prefix of one store written into them.

use std::cell::Cell;
use std::sync::OnceLock;

use super::super::{StoreError, StoreErrorKind};
use super::arguments::Argument;
use super::places::Sharing;

/// What a fresh database is given; the default names stand in it, so that it can be read and run as it is.
const SCHEMA: &str = include_str!("schema.sql");

/// The version of [`SCHEMA`].
pub(super) const VERSION: i32 = 1;

/// The oldest server that knows all that [`SCHEMA`] uses.
pub(super) const OLDEST_SERVER: i32 = 130_000;

/// The header's columns, in the order in which they are read.
const HEADER: [&str; 13] = [
    "incarnation",
    "origin",
    "created_at",
    "version",
    "registration",
    "fixed_end",
    "state",
    "revision",
    "expires_at",
    "retained_until",
    "commits",
    "retention",
    "sliding",
];

/// The common kind of commit sets some fields of a stored session at its current revision. An update that finds the
/// header by all of that says as much as the rule, for less than half the time of a function; whoever finds none, or
/// meets a number that cannot be counted on, asks the function why.
///
/// Where others hold a lock on the header, its expiry is judged before the wait: so this leaves alone what expires
/// within a second, and leaves it to the rule if it took longer. So it does where the key is to be looked at sooner.
const SET_FIELDS: &str = "\
    UPDATE sessions.header t SET version = $7, registration = $8, revision = t.revision + 1, \
        commits = ($6 || t.commits)[1:8], \
        retention = greatest(t.retention, $12), \
        expires_at = {expires}, \
        retained_until = {expires} + greatest(t.retention, $12), \
        {kept} \
    WHERE t.name = $1 AND t.key = $2 AND t.incarnation = $3 AND t.revision = $4 AND t.commits[1] = $5 \
        AND t.state = 0 AND t.version BETWEEN 0 AND 4294967295 AND jsonb_typeof(t.fields) = 'object' \
        AND (t.expires_at IS NULL OR t.expires_at > {now} + 1000) \
        AND EXISTS (SELECT FROM sessions.registration r WHERE r.name = $1 AND r.version = $7 AND r.id = $8) \
    RETURNING t.created_at, t.fixed_end, t.expires_at, t.sliding, \
        CASE WHEN clock_timestamp() > statement_timestamp() + interval '1 s' \
            OR t.retained_until < coalesce(t.due, 9223372036854775807) THEN sessions.leave_to_rule() END, \
        {rows}";

/// What the header keeps where all fields that are set are small.
const KEPT_SMALL: &str = "\
    fields = CASE WHEN sessions.fit(t.fields || $13) AND {have_no_rows} \
        THEN t.fields || $13 ELSE t.fields - $14 END, \
    has_rows = t.has_rows OR NOT sessions.fit(t.fields || $13)";

/// Rows for those that it does not keep.
const ROWS_SMALL: &str = "\
    CASE WHEN NOT t.fields ?& $14 THEN sessions.put_rows($1, $2, $3, $13, '{}', '{}', '{}', '{}') END";

/// What the header keeps where some are large or found by an index.
const KEPT_BESIDE: &str = "\
    fields = CASE WHEN sessions.fit((t.fields - $15) || $13) AND {have_no_rows} \
        THEN (t.fields - $15) || $13 ELSE t.fields - ($14 || $15) END, \
    has_rows = true";

/// Rows for those, and for what it does not keep.
const ROWS_BESIDE: &str = "\
    sessions.put_rows($1, $2, $3, CASE WHEN t.fields ?& $14 THEN '{}' ELSE $13 END, $15, $16, $17, $18)";

/// Whether the header can take the small fields that are set without taking them from the table of fields.
const HAVE_NO_ROWS: &str = "\
    (NOT t.has_rows OR t.fields ?& $14 OR NOT sessions.have_rows(t.name, t.key, t.incarnation, $14))";

/// When a session ends after such a commit.
const EXPIRES: &str = "coalesce(t.fixed_end, least({now} + coalesce(t.sliding, $10), t.created_at + $11))";

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

/// The text of a statement.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) text: String,
    /// Where a connection keeps what it prepared for it.
    pub(super) number: usize,
    /// Whether it can be sent again when its answer is missing.
    pub(super) is_repeatable: bool,
    /// Who else may use its connection meanwhile.
    pub(super) sharing: Sharing,
}

/// A call of a function by the names of its parameters.
#[derive(Debug)]
pub(super) struct Call {
    answer: String,
    function: String,
    number: usize,
    is_repeatable: bool,
    sharing: Sharing,
    sql: OnceLock<Sql>,
}

impl Call {
    /// The statement for these arguments, whose names are the same for every call.
    pub(super) fn sql(&self, arguments: &[Argument<'_>]) -> &Sql {
        self.sql.get_or_init(|| {
            let named = arguments.iter().zip(1..).map(|((name, _), number)| format!("{name} => ${number}"));
            let named = named.collect::<Vec<_>>().join(", ");
            let text = format!("SELECT {} FROM {}({named}) c", self.answer, self.function);
            Sql { text, number: self.number, is_repeatable: self.is_repeatable, sharing: self.sharing }
        })
    }
}

/// The statements of a running store.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) look: Sql,
    pub(super) touch: Call,
    /// A commit of the common kind that sets small fields only.
    pub(super) set_small: Sql,
    /// One that sets others too.
    pub(super) set_fields: Sql,
    pub(super) find: Sql,
    pub(super) commit: Call,
    pub(super) renew: Call,
    pub(super) register: Call,
    pub(super) registration: Sql,
    pub(super) registrations: Sql,
    pub(super) withdraw: Call,
    pub(super) keys: Sql,
    pub(super) count: Sql,
    pub(super) purge: Call,
    pub(super) version: String,
}

impl Statements {
    pub(super) fn new(names: &Names) -> Self {
        let numbers = Cell::new(0);
        let number = || numbers.replace(numbers.get() + 1);
        let call = |answer: String, function: &str| Call {
            answer,
            function: names.put_into(&format!("sessions.{function}")),
            number: number(),
            is_repeatable: true,
            sharing: Sharing::Alone,
            sql: OnceLock::new(),
        };
        let short = |answer: String, function: &str| Call { sharing: Sharing::Write, ..call(answer, function) };
        let sql = |text: &str| Sql {
            text: names.put_into(text),
            number: number(),
            is_repeatable: true,
            sharing: Sharing::Alone,
        };
        let short_sql = |text: &str| Sql { sharing: Sharing::Write, ..sql(text) };
        let reply = |header: &str| format!("c.answer, c.was_stored, c.now, (c.header).fields, c.field_rows, {header}");
        let set = |kept: &str, rows: &str| {
            let sql = SET_FIELDS.replace("{kept}", kept).replace("{rows}", rows).replace("{expires}", EXPIRES);
            short_sql(&sql.replace("{have_no_rows}", HAVE_NO_ROWS).replace("{now}", &now_at("$9")))
        };
        let registrations = |which: &str| {
            sql(&format!(
                "SELECT r.name, r.version, r.id, r.codec, f.fields, f.initials, f.sensitive \
                 FROM sessions.registration r LEFT JOIN LATERAL (\
                 SELECT array_agg(f.field) AS fields, array_agg(f.initial) AS initials, \
                 array_agg(f.sensitive) AS sensitive FROM (\
                 SELECT f.field, f.initial, f.sensitive FROM sessions.registered_field f \
                 WHERE f.name = r.name AND f.version = r.version ORDER BY f.position) f\
                 ) f ON true {which}"
            ))
        };
        let stored = "t.name = $1 AND t.state = 0 \
             AND (t.expires_at IS NULL OR t.expires_at > (SELECT sessions.clock($2)))";
        Self {
            // One row, also where there is nothing: then all that follows the time is null.
            look: Sql {
                sharing: Sharing::Read,
                ..sql(&format!(
                    "SELECT {}, {}, t.fields, \
                 CASE WHEN t.has_rows THEN sessions.rows_of(t.name, t.key, t.incarnation) END \
                 FROM (VALUES (1)) one LEFT JOIN sessions.header t ON t.name = $1 AND t.key = $2",
                    now_at("$3"),
                    // Whoever reads an array is not told where it begins.
                    header_of("t").replace("t.commits", "CASE WHEN array_lower(t.commits, 1) = 1 THEN t.commits END"),
                ))
            },
            touch: short(
                format!("c.now, c.touched, (c.header).fields, c.field_rows, {}", header_of("(c.header)")),
                "touch",
            ),
            set_small: set(KEPT_SMALL, ROWS_SMALL),
            set_fields: set(KEPT_BESIDE, ROWS_BESIDE),
            find: sql(&format!(
                "SELECT t.key, {}, {} FROM (VALUES (1)) one LEFT JOIN (\
                 sessions.field f JOIN sessions.header t ON t.key = f.key AND t.incarnation = f.incarnation \
                 AND {stored} \
                 ) ON f.name = $1 AND f.field = $3 AND f.term = $4 AND f.key > $5 ORDER BY f.key LIMIT $6",
                now_at("$2"),
                header_of("t"),
            )),
            commit: short(reply(&header_of("(c.header)")), "commit"),
            renew: short(reply(&header_of("(c.header)")), "renew"),
            register: call("true".to_owned(), "register"),
            registration: registrations("WHERE r.name = $1 AND r.version = $2"),
            registrations: registrations("ORDER BY r.name, r.version"),
            // A second answer would not tell whether there was one.
            withdraw: Call { is_repeatable: false, ..call("c".to_owned(), "withdraw") },
            keys: sql(&format!(
                "SELECT t.key FROM sessions.header t WHERE {stored} AND t.key > $3 ORDER BY t.key LIMIT $4"
            )),
            count: sql(&format!("SELECT count(*) FROM sessions.header t WHERE {stored}")),
            purge: call("c.looked_at, c.removed".to_owned(), "purge"),
            version: names.put_into("SELECT max(version) FROM sessions.schema_version"),
        }
    }
}

/// The time at which a statement began, moved by this parameter.
fn now_at(offset: &str) -> String {
    format!("(floor(date_part('epoch', statement_timestamp()) * 1000)::int8 + {offset})")
}

/// Those of the header at this place.
fn header_of(place: &str) -> String {
    HEADER.map(|column| format!("{place}.{column}")).join(", ")
}

pub(super) fn unknown_answer() -> StoreError {
    let message = "PostgreSQL answered what this build does not know; look whether the functions were changed";
    StoreError::new(StoreErrorKind::Incompatible, message)
}

#[cfg(test)]
mod tests {
    use super::super::arguments::Value;
    use super::*;

    #[test]
    fn statements_name_the_schema_and_the_prefix() {
        let names = Names::new("App", "web_").unwrap();
        assert_eq!(names.version_table(), "web_schema_version");
        let touch = Statements::new(&names).touch;
        let sql = &touch.sql(&[("p_name", Value::Text("Visitor")), ("p_key", Value::Bytes(b"42"))]).text;
        assert!(sql.ends_with("FROM \"App\".web_touch(p_name => $1, p_key => $2) c"), "{sql}");
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
