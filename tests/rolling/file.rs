//! The file of the check: when it is written, when the test fails, and what it says.

use std::any::type_name;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use session_runtime::check;

/// Tell the child which file it is to check, and for which build.
const FILE: &str = "SESSION_TEST_CHECKED";
const BUILD: &str = "SESSION_TEST_BUILD";

mod first {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        pub coupon: Option<String>,
    }
}

mod second {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        pub coupon: Option<String>,
        pub timezone: String,
    }
}

mod third {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "UTC".to_owned())]
        pub timezone: String,
    }
}

mod pinned {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        pub coupon: Option<String>,
        #[session(pin, initial = "CET".to_owned())]
        pub timezone: String,
    }
}

mod unpinned {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        pub coupon: Option<String>,
        #[session(initial = "UTC".to_owned())]
        pub timezone: String,
    }
}

mod guest {
    #[derive(session_runtime::Session)]
    pub struct Guest {
        #[session(initial = std::process::id().wrapping_add(rand::random()))]
        pub number: u32,
    }
}

/// The child's work, if this is one: what a user writes into a test.
#[test]
fn is_a_users_test() {
    let Some(file) = env::var_os(FILE) else { return };
    match env::var(BUILD).as_deref() {
        Ok("first") => check::snapshot::<first::Visitor>(file),
        Ok("second") => check::snapshot::<second::Visitor>(file),
        Ok("third") => check::snapshot::<third::Visitor>(file),
        Ok("pinned") => check::snapshot::<pinned::Visitor>(file),
        Ok("unpinned") => check::snapshot::<unpinned::Visitor>(file),
        _ => check::snapshot::<guest::Guest>(file),
    }
}

/// A user's repository.
struct Repository {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Repository {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("visitor.session");
        Self { _folder: folder, file }
    }

    /// Runs the test of a build, with such variables. Says what it failed with.
    fn test(&self, build: &str, variables: &[(&str, &str)]) -> Result<(), String> {
        self.moves_to(build);
        self.runs(build, variables)
    }

    /// All builds have one path, which a process has only once.
    fn moves_to(&self, build: &str) {
        let Ok(text) = fs::read_to_string(&self.file) else { return };
        let own = type_name::<first::Visitor>().replace("first", build);
        let moved = text.split_inclusive('\n').map(|line| match line.strip_prefix("  \"type\": ") {
            Some(_) => format!("  \"type\": \"{own}\",\n"),
            None => line.to_owned(),
        });
        fs::write(&self.file, moved.collect::<String>()).expect("a file");
    }

    fn runs(&self, build: &str, variables: &[(&str, &str)]) -> Result<(), String> {
        let output = Command::new(env::current_exe().expect("a program"))
            .args(["--exact", "file::is_a_users_test", "--nocapture"])
            .env_remove("CI")
            .env_remove("SESSION_CHECK")
            .env(FILE, &self.file)
            .env(BUILD, build)
            .envs(variables.iter().copied())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(said.into_owned()) }
    }

    #[track_caller]
    fn fails(&self, build: &str, variables: &[(&str, &str)], with: &str) {
        self.moves_to(build);
        let (before, said) = (fs::read(&self.file).ok(), self.runs(build, variables).expect_err("it fails"));
        assert!(said.contains(with), "{said}");
        assert!(said.contains("tests/rolling/file.rs:"), "the place is the user's: {said}");
        assert_eq!(fs::read(&self.file).ok(), before, "it was left as it is");
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).expect("a file")
    }
}

const CI: (&str, &str) = ("CI", "true");
const ACCEPT: (&str, &str) = ("SESSION_CHECK", "accept");

#[test]
fn a_file_is_made_at_first_and_not_where_nobody_would_commit_it() {
    let repository = Repository::new();
    repository.fails("first", &[CI], "is missing: run this test where `CI` is not set, and commit the file");
    assert!(!repository.file.exists());
    repository.test("first", &[("CI", "false")]).expect("a file is made");
    let path = type_name::<first::Visitor>();
    let text = format!(
        r#"{{
  "session_snapshot": 1,
  "about": "A session type as it is deployed, written by session_runtime::check. Commit it.",
  "name": "visitor",
  "version": 0,
  "reads": [],
  "codec": "json",
  "type": "{path}",
  "fields": [
    {{"name": "visits", "type": "u32", "initial": 0}},
    {{"name": "coupon", "type": ["option", "string"], "initial": null}}
  ],
  "given_up": []
}}
"#
    );
    assert_eq!(repository.text(), text);
    repository.test("first", &[CI]).expect("nothing changed");
    assert_eq!(repository.text(), text);
    let names: Vec<_> = fs::read_dir(repository.file.parent().expect("a folder")).expect("a folder").collect();
    assert_eq!(names.len(), 1, "nothing else is left: {names:?}");
}

#[test]
fn a_harmless_change_renews_the_file_and_has_to_be_committed() {
    let repository = Repository::new();
    repository.test("first", &[]).expect("a file is made");
    repository.fails("second", &[CI], "changed harmlessly, and ");
    repository.test("second", &[]).expect("it is harmless");
    assert!(repository.text().contains(r#"{"name": "timezone", "type": "string", "initial": ""}"#));
    repository.test("second", &[CI]).expect("it was committed");
}

#[test]
fn any_other_change_fails_with_a_sentence_for_each_thing_until_it_is_accepted() {
    let repository = Repository::new();
    repository.test("second", &[]).expect("a file is made");
    for variables in [&[][..], &[CI]] {
        repository.fails("third", variables, "- the field `coupon` is gone: ");
        repository.fails("third", variables, "- the initial value of `timezone` is \"UTC\" and was \"\": ");
        repository.fails("third", variables, "to accept all of it, run this test with `SESSION_CHECK=accept`");
    }
    repository.fails("third", &[("SESSION_CHECK", "overwrite")], "write `SESSION_CHECK=accept`, or leave it out");
    repository.test("third", &[ACCEPT]).expect("it is meant");
    assert!(repository.text().contains(r#""given_up": ["coupon"]"#), "{}", repository.text());
    repository.test("third", &[CI]).expect("it was accepted");
    let reused = "- the field `coupon` is new and has the name of one that was given up: ";
    repository.fails("second", &[], reused);
}

#[test]
fn what_was_registered_first_is_remembered_as_a_store_does() {
    let repository = Repository::new();
    repository.test("second", &[]).expect("a file is made");
    repository.test("pinned", &[]).expect("it is harmless");
    let line = r#"{"name": "timezone", "type": "string", "registered": "", "attributes": ["pin"]}"#;
    assert!(repository.text().contains(line), "{}", repository.text());
    // Without `pin` the registered value counts again.
    repository.fails("unpinned", &[], "- the initial value of `timezone` is \"UTC\" and was \"\": ");
    repository.test("second", &[]).expect("it has that value");

    let repository = Repository::new();
    repository.test("pinned", &[]).expect("a file is made");
    repository.test("unpinned", &[]).expect("it stays registered as pinned");
    assert!(repository.text().contains(r#""initial": "UTC", "registered_as_pinned": true"#), "{}", repository.text());
    repository.test("second", &[]).expect("so it may have any value");
}

#[test]
fn a_file_of_something_else_is_never_written_over() {
    let repository = Repository::new();
    fs::write(&repository.file, "my notes\n").expect("a file");
    for variables in [&[][..], &[CI], &[ACCEPT]] {
        repository.fails(
            "first",
            variables,
            "this is no snapshot of a session type: expected value at line 1 column 1",
        );
    }
    assert_eq!(repository.text(), "my notes\n");
    let folder = Repository { file: Path::new("/").join(repository.file.parent().expect("a folder")), ..repository };
    folder.fails("first", &[], " cannot be read: ");
}

#[test]
fn a_type_that_cannot_be_served_is_told_so() {
    let repository = Repository::new();
    repository.fails(
        "guest",
        &[],
        "the session type `Guest` cannot be served: the initial value of the field `number`",
    );
    assert!(!repository.file.exists());
}
