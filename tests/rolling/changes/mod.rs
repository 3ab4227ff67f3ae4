//! Changes of a session type: what the check says of each, and what a rolling deployment then does.
//!
//! `docs/changing-a-session-type.md` has the table. `UPDATE_EXPECT=1` writes it anew.

use std::any::type_name;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;
use session_runtime::check::{self, Difference, Snapshot};
use session_runtime::store::Housekeeping;
use session_runtime::{Agreement, Error};
use session_tests::{Kept, Shared};

mod builds;

use builds::{Build, Known, inside};
use builds::{
    alias, indexed, migrated, nested, new_field, other_initial, pinned, plain, raised, removed_field, renamed,
};
use builds::{reordered, widened};

/// Where the table stands.
const BEGIN: &str = "<!-- table: begin -->\n";
const END: &str = "<!-- table: end -->\n";

pub async fn run<S: Housekeeping>(store: S) {
    let mut table = Table { store, rows: Vec::new() };
    table.row::<plain::Visitor, new_field::Visitor>("a field is added").await;
    table.row::<plain::Visitor, removed_field::Visitor>("a field is removed").await;
    table.row::<plain::Visitor, alias::Visitor>("a field is renamed, with `alias`").await;
    table.row::<plain::Visitor, renamed::Visitor>("a field is renamed, without").await;
    table.row::<plain::Visitor, reordered::Visitor>("fields change their order").await;
    table.row::<plain::Visitor, indexed::Visitor>("`index` is added").await;
    table.row::<plain::Visitor, other_initial::Visitor>("an initial value changes").await;
    table.row::<plain::Visitor, pinned::Visitor>("an initial value changes, with `pin`").await;
    table.adopting::<plain::Visitor, other_initial::Visitor>("an initial value changes, with `Agreement::Adopt`").await;
    table.row::<plain::Visitor, nested::Visitor>("a field moves into a nested session").await;
    table.row::<plain::Visitor, widened::Visitor>("an integer is widened").await;
    table.row::<inside::Visitor, inside::other_type::Visitor>("a field gets another type").await;
    table.row::<inside::Visitor, inside::more_fields::Visitor>("a struct in a field gets a field").await;
    table.row::<inside::Visitor, inside::more_variants::Visitor>("an enum in a field gets a variant").await;
    table.row::<plain::Visitor, migrated::Visitor>("the version is raised, with `from`").await;
    table.row::<plain::Visitor, raised::Visitor>("the version is raised, without").await;
    for row in &table.rows {
        let served = row.met.is_fine();
        assert!(served || !row.said.is_empty(), "the check passed `{}`, and then: {}", row.change, row.met.tell());
    }
    is_documented(&table.text());
}

/// What is known of changes so far.
struct Table<S> {
    store: S,
    rows: Vec<Row>,
}

struct Row {
    change: &'static str,
    said: Vec<Difference>,
    met: Met,
}

impl<S: Housekeeping> Table<S> {
    async fn row<Old: Build, New: Build>(&mut self, change: &'static str) {
        self.with::<Old, New>(change, Agreement::Refuse).await;
    }

    async fn adopting<Old: Build, New: Build>(&mut self, change: &'static str) {
        self.with::<Old, New>(change, Agreement::Adopt).await;
    }

    async fn with<Old: Build, New: Build>(&mut self, change: &'static str, agreement: Agreement) {
        let name: &'static str = change.replace(|letter: char| !letter.is_alphanumeric(), "-").leak();
        let store = Shared::new(self.store.clone(), name);
        let deployed = Kept::<Old, _>::builder(store.clone()).name(name).build();
        let coming = Kept::<New, _>::builder(store).name(name).agreement(agreement).build();
        // Builds of a type have one path, which a process has only once.
        let snapshot = Snapshot::of(&deployed).expect("a snapshot").to_string();
        let snapshot = snapshot.replace(type_name::<Old>(), type_name::<New>()).parse().expect("a snapshot");
        let said = check::compare(&snapshot, &coming).expect("it can be served");
        self.rows.push(Row { change, said, met: Met::of(&deployed, &coming).await });
    }

    fn text(&self) -> String {
        let mut text = "| change | the check | the deployment |\n|---|---|---|\n".to_owned();
        for Row { change, said, met } in &self.rows {
            let said: Vec<_> = said.iter().map(Difference::to_string).collect();
            let said = if said.is_empty() { "passes".to_owned() } else { said.join("<br>") };
            writeln!(text, "| {change} | {} | {} |", said.replace('|', "\\|"), met.tell()).expect("a text");
        }
        text
    }
}

/// What became of sessions that both builds served.
#[derive(Default)]
struct Met {
    /// Why the build that came did not start.
    refused: Option<&'static str>,
    /// What the build that came could not read, or did not show.
    coming: Vec<String>,
    /// The same of the deployed one.
    deployed: Vec<String>,
}

impl Met {
    /// Lets both builds serve a session that each of them created.
    async fn of<Old: Build, New: Build, S: Housekeeping>(
        deployed: &Kept<Old, Shared<S>>,
        coming: &Kept<New, Shared<S>>,
    ) -> Self {
        let mut met = Self::default();
        let (mut one, mut other) = (User::new("one"), User::new("other"));
        one.visits(deployed, &mut met.deployed).await;
        if let Err(error) = coming.prepare().await {
            one.visits(deployed, &mut met.deployed).await;
            assert!(met.deployed.is_empty(), "the deployed build goes on");
            return Self { refused: Some(name(&error)), ..met };
        }
        other.visits(coming, &mut met.coming).await;
        for user in [&mut one, &mut other] {
            for _ in 0..2 {
                user.visits(coming, &mut met.coming).await;
                user.visits(deployed, &mut met.deployed).await;
            }
            user.visits(coming, &mut met.coming).await;
        }
        met
    }

    fn is_fine(&self) -> bool {
        self.refused.is_none() && self.coming.is_empty() && self.deployed.is_empty()
    }

    fn tell(&self) -> String {
        if let Some(error) = self.refused {
            return format!("the new build does not start: `{error}`; the deployed one goes on");
        }
        if self.is_fine() {
            return "both builds serve all sessions, and nothing is lost".to_owned();
        }
        let of = |build, met: &[String]| (!met.is_empty()).then(|| format!("the {build} build {}", met.join(", and ")));
        [of("deployed", &self.deployed), of("new", &self.coming)].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// A user, and what the session has to show.
struct User {
    key: &'static str,
    known: Known,
}

impl User {
    fn new(key: &'static str) -> Self {
        Self { key, known: Known::new() }
    }

    /// A request to one build: it has to show what is known, and changes all that it knows.
    async fn visits<B: Build, S: Housekeeping>(&mut self, build: &Kept<B, Shared<S>>, met: &mut Vec<String>) {
        let mut note = |what: String| {
            if !met.contains(&what) {
                met.push(what);
            }
        };
        let mut session = match build.load(self.key).await {
            Ok(session) => session,
            Err(error) => return note(format!("answers `{}` and changes nothing", name(&error))),
        };
        let before = session.show();
        for (name, value) in &before {
            if self.known.get(name).is_some_and(|known| known != value) {
                note(format!("does not show all of `{name}` that the other stored"));
            }
        }
        B::change(&mut session);
        for (name, now) in session.show() {
            match (self.known.get_mut(name), &before[name], now) {
                // What is appended to a list leaves the rest as it is known.
                (Some(Value::Array(known)), Value::Array(before), Value::Array(now)) => {
                    known.extend(now.into_iter().skip(before.len()));
                }
                (_, _, now) => _ = self.known.insert(name, now),
            }
        }
        session.commit().await.expect("a commit");
    }
}

/// The name of an error's variant.
fn name(error: &Error) -> &'static str {
    match error {
        Error::Decode { .. } => "Decode",
        Error::NewerVersion { .. } => "NewerVersion",
        Error::NoMigration { .. } => "NoMigration",
        Error::InitialStateMismatch { .. } => "InitialStateMismatch",
        error => panic!("an error that the table does not know: {error}"),
    }
}

/// Makes sure that the page has this table.
fn is_documented(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/changing-a-session-type.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (written, after) = rest.split_once(END).expect("where it ends");
    if written != table && env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(&path, [before, BEGIN, table, END, after].concat()).expect("the page is written");
    }
    assert_eq!(written, table, "write it anew with UPDATE_EXPECT=1");
}
