//! Looks after the sessions in a store from the command line: no session type is needed, the registrations tell all.

use std::io::{self, Write};
use std::path::Path;

use session_runtime::admin::{Admin, InspectedValue};
use session_runtime::check::NoSnapshot;
use session_runtime::store::{DamagedRegistration, Registration, Registrations, StoreError, connect};
use session_runtime::{AnyStore, Error};

mod check;
mod options;
pub mod text;
pub mod waste;

pub use options::{Condition, Options, Task};
use text::{escape, escape_json};

/// Why a task could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SessionctlError {
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Open(#[source] StoreError),
    /// There is no file at the path of the URL, and a tool makes none.
    #[error("cannot open the store: there is no file {0}")]
    NoFile(String),
    /// A file cannot be read.
    #[error("cannot read {file}")]
    File {
        /// Its path.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A file is no snapshot of a session type.
    #[error("{file} is none of the files that `session_runtime::check::snapshot` keeps")]
    NoSnapshot {
        /// Its path.
        file: String,
        /// Why.
        source: NoSnapshot,
    },
    /// The store failed, or the key is none.
    #[error(transparent)]
    Session(#[from] Error),
    /// A server cannot be watched.
    #[error(transparent)]
    Waste(#[from] waste::WasteError),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl SessionctlError {
    /// Whether the reader of the output has seen enough.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Carries out a task. Returns whether there was something to do it to.
///
/// # Errors
/// When the store cannot be opened or fails, a key is none, or the output cannot be written.
pub async fn run(options: &Options, out: &mut impl Write) -> Result<bool, SessionctlError> {
    if let Task::Waste(options) = &options.task {
        waste::run(options, out).await?;
        out.flush()?;
        return Ok(true);
    }
    let admin = Admin::new(open(&options.store).await?);
    let found = match &options.task {
        Task::List { name } => list(&admin, name, out).await?,
        Task::Show { name, key } => show(&admin, name, key, out).await?,
        Task::Find { name, condition } => find(&admin, name, condition, out).await?,
        Task::DestroyFound { name, condition } => destroy_found(&admin, name, condition, out).await?,
        Task::BuildIndex { name, field } => build_index(&admin, name, field, out).await?,
        Task::Destroy { name, keys } => destroy(&admin, name, keys, out).await?,
        Task::Purge => purge(&admin, out).await?,
        Task::Stats => stats(&admin, out).await?,
        Task::Namespaces => namespaces(&admin, out).await?,
        Task::Registrations => registrations(&admin, out).await?,
        Task::Check { files } => check::run(&admin, files, out).await?,
        Task::Waste(_) => true,
        Task::Withdraw { name, version } => withdraw(&admin, name, *version, out).await?,
    };
    out.flush()?;
    Ok(found)
}

/// After how many sessions a long task says how far it is.
const REPORTED: u64 = 1000;

async fn open(url: &str) -> Result<AnyStore, SessionctlError> {
    // A slip of the pen must not leave an empty database behind.
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    if let Some(path) = path.map(|path| path.split_once('?').map_or(path, |(path, _)| path))
        && !path.is_empty()
        && path != ":memory:"
        && !path.starts_with("file:")
        && !Path::new(path).exists()
    {
        return Err(SessionctlError::NoFile(path.to_owned()));
    }
    connect(url).await.map_err(SessionctlError::Open)
}

async fn list(admin: &Admin<AnyStore>, name: &str, out: &mut impl Write) -> Result<bool, SessionctlError> {
    let mut keys = admin.keys(name);
    while let Some(key) = keys.next().await {
        writeln!(out, "{}", escape(key?.id()))?;
    }
    Ok(true)
}

async fn show(admin: &Admin<AnyStore>, name: &str, key: &str, out: &mut impl Write) -> Result<bool, SessionctlError> {
    let Some(session) = admin.inspect(name, key).await? else {
        writeln!(out, "not stored: {}", escape(key))?;
        return Ok(false);
    };
    writeln!(out, "{}", escape_json(&format!("{:#}", session.to_json())))?;
    Ok(true)
}

async fn destroy(
    admin: &Admin<AnyStore>,
    name: &str,
    keys: &[String],
    out: &mut impl Write,
) -> Result<bool, SessionctlError> {
    let mut all = true;
    for key in keys {
        let was_stored = admin.destroy(name, key).await?;
        writeln!(out, "{}: {}", if was_stored { "destroyed" } else { "not stored" }, escape(key))?;
        all &= was_stored;
    }
    Ok(all)
}

async fn find(
    admin: &Admin<AnyStore>,
    name: &str,
    condition: &Condition,
    out: &mut impl Write,
) -> Result<bool, SessionctlError> {
    for key in admin.find(name, &condition.field, &condition.value).await? {
        writeln!(out, "{}", escape(key.id()))?;
    }
    Ok(true)
}

async fn destroy_found(
    admin: &Admin<AnyStore>,
    name: &str,
    condition: &Condition,
    out: &mut impl Write,
) -> Result<bool, SessionctlError> {
    let mut report = Report::to(out);
    let Condition { field, value } = condition;
    let destroyed = admin.destroy_found(name, field, value, |so_far| report.so_far(so_far)).await?;
    report.end(&format!("{destroyed} destroyed"))?;
    Ok(destroyed > 0)
}

async fn build_index(
    admin: &Admin<AnyStore>,
    name: &str,
    field: &str,
    out: &mut impl Write,
) -> Result<bool, SessionctlError> {
    let mut report = Report::to(out);
    let built = admin.build_index(name, field, |so_far| report.so_far(so_far)).await?;
    report.end(&format!("{built} indexed"))?;
    Ok(true)
}

/// What a long task says now and then.
struct Report<'a, W> {
    out: &'a mut W,
    /// The first failure to say something.
    said: io::Result<()>,
}

impl<'a, W: Write> Report<'a, W> {
    fn to(out: &'a mut W) -> Self {
        Self { out, said: Ok(()) }
    }

    fn so_far(&mut self, count: u64) {
        if count.is_multiple_of(REPORTED) && self.said.is_ok() {
            self.said = writeln!(self.out, "{count} so far").and_then(|()| self.out.flush());
        }
    }

    fn end(self, text: &str) -> io::Result<()> {
        self.said?;
        writeln!(self.out, "{text}")
    }
}

async fn purge(admin: &Admin<AnyStore>, out: &mut impl Write) -> Result<bool, SessionctlError> {
    let mut purging = admin.purge();
    let mut removed = 0;
    while let Some(batch) = purging.next().await {
        let batch = batch?;
        removed += batch.removed;
        if batch.more {
            writeln!(out, "{removed} so far")?;
            out.flush()?;
        }
    }
    writeln!(out, "{removed} removed")?;
    Ok(true)
}

async fn stats(admin: &Admin<AnyStore>, out: &mut impl Write) -> Result<bool, SessionctlError> {
    for name in admin.stats().await? {
        let versions: Vec<_> = name.versions.iter().map(u32::to_string).collect();
        let plural = if versions.len() == 1 { "version" } else { "versions" };
        writeln!(out, "{}: {} stored, {plural} {}", escape(&name.name), name.sessions, versions.join(", "))?;
    }
    Ok(true)
}

async fn namespaces(admin: &Admin<AnyStore>, out: &mut impl Write) -> Result<bool, SessionctlError> {
    for (namespace, names) in admin.namespaces().await? {
        let names: Vec<_> = names.iter().map(|name| escape(name)).collect();
        writeln!(out, "{}: {}", escape(&namespace), names.join(", "))?;
    }
    Ok(true)
}

async fn registrations(admin: &Admin<AnyStore>, out: &mut impl Write) -> Result<bool, SessionctlError> {
    let Registrations { found, damaged } = admin.registrations().await?;
    for registration in found {
        let Registration { name, version, codec, .. } = &registration;
        writeln!(out, "{} version {version}, {}", escape(name), escape(codec))?;
        for field in registration.session_fields() {
            let initial = match field.inspect(codec) {
                InspectedValue::Json(value) => escape_json(&value.to_string()),
                InspectedValue::Redacted => "(sensitive)".to_owned(),
                InspectedValue::Unset => "(pinned)".to_owned(),
                _ => "(not readable)".to_owned(),
            };
            writeln!(out, "  {} = {initial}", escape(&field.name))?;
        }
    }
    for DamagedRegistration { name, version, error } in damaged {
        writeln!(out, "{} version {version}: damaged, {error}", escape(&name))?;
    }
    Ok(true)
}

async fn withdraw(
    admin: &Admin<AnyStore>,
    name: &str,
    version: u32,
    out: &mut impl Write,
) -> Result<bool, SessionctlError> {
    let was_there = admin.withdraw(name, version).await?;
    writeln!(out, "{}: {} version {version}", if was_there { "withdrawn" } else { "not registered" }, escape(name))?;
    Ok(was_there)
}
