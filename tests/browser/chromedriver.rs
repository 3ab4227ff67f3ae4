//! The program that drives Chromium.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use session_tests::installed;
use tempfile::TempDir;
use thirtyfour::prelude::*;

/// Where `chromedriver` is: what `SESSION_TEST_CHROMEDRIVER` names, or what is installed. Nothing, with a word about it,
/// if there is none.
pub(crate) fn find() -> Option<PathBuf> {
    let variable = "SESSION_TEST_CHROMEDRIVER";
    let found = installed::find(variable, &["chromedriver"]);
    if found.is_none() {
        installed::leave_out("chromedriver", &format!("name it in {variable}"));
    }
    found
}

/// A running `chromedriver` on a free loopback port. It and its browsers end when it is dropped.
///
/// A shell watches over them, which kills all when its own input ends: none is left behind, however the test ends.
pub(crate) struct Chromedriver {
    shell: Child,
    url: String,
    /// Where it and the browsers keep what they do not keep elsewhere.
    folder: TempDir,
}

/// Whether the scripts of pages run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scripts {
    Run,
    Blocked,
}

const SHELL: &str = r#"exec 3<&0; "$0" --port=0 & read line <&3; kill -9 0"#;

impl Chromedriver {
    pub(crate) fn start(program: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(SHELL)
            .arg(program)
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            // The group that the shell kills.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let lines = BufReader::new(shell.stdout.take().expect("its output")).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let url = format!("http://127.0.0.1:{}", port.expect("chromedriver starts"));
        Self { shell, url, folder }
    }

    /// A browser of which this folder of the driver's keeps the profile. One that is opened again there is the same.
    pub(crate) async fn open(&self, profile: &str, scripts: Scripts) -> WebDriver {
        let mut wishes = DesiredCapabilities::chrome();
        let profile = format!("--user-data-dir={}", self.folder.path().join(profile).display());
        // Chromium has no sandbox for root, and little shared memory in a container.
        for argument in ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", &profile] {
            wishes.add_arg(argument).expect("an argument");
        }
        let allowed = match scripts {
            Scripts::Run => 1,
            Scripts::Blocked => 2,
        };
        let settings = json!({ "profile.default_content_setting_values.javascript": allowed });
        wishes.add_experimental_option("prefs", settings).expect("settings");
        WebDriver::new(&self.url, wishes).await.expect("a browser")
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
