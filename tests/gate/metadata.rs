//! What cargo knows of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) readme: Option<PathBuf>,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) metadata: Option<serde_json::Value>,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) rename: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// The crates that users depend on.
pub(crate) const PUBLISHED: [&str; 2] = ["session-derive", "session-runtime"];

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the Rust files of a folder hold.
pub(crate) fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let source = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false if path.extension().is_some_and(|ending| ending == "rs") => read(&path),
        false => String::new(),
    };
    entries.map(source).collect()
}

impl Metadata {
    /// Of the workspace with all features, on this machine's platform.
    pub(crate) fn read() -> Self {
        let run = |program: &str, arguments: &[&str]| {
            let program = env::var_os(program).unwrap_or_else(|| program.to_lowercase().into());
            let output = Command::new(program).args(arguments).current_dir(root()).output().expect("a program");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("text")
        };
        let compiler = run("RUSTC", &["-vV"]);
        let platform = compiler.lines().find_map(|line| line.strip_prefix("host: ")).expect("a platform");
        let all = ["metadata", "--format-version", "1", "--all-features", "--locked", "--filter-platform", platform];
        serde_json::from_str(&run("CARGO", &all)).expect("what cargo says")
    }

    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The crates that users depend on.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| PUBLISHED.contains(&&*package.name))
    }

    /// All that users of the published crates build, in the order of names and versions.
    pub(crate) fn built_by_users(&self) -> Vec<&Package> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = self.published().map(|package| &*package.id).collect();
        while let Some(id) = open.pop() {
            if found.insert(id) {
                let links = self.resolve.nodes.iter().filter(|node| node.id == id).flat_map(|node| &node.deps);
                let needed = |link: &&Link| link.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
                open.extend(links.filter(needed).map(|link| &*link.pkg));
            }
        }
        let mut packages: Vec<_> = self.packages.iter().filter(|package| found.contains(&*package.id)).collect();
        packages.sort_by_key(|package| (&package.name, &package.version));
        packages
    }
}
