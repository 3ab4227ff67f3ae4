//! `replay [--log FILE]… [--store URL] [--concurrency N] [--json] [--svg FILE] [--html FILE]`: replays traffic through
//! the session runtime and shows what was saved.
//!
//! `--html report.html` writes the report with charts as one page, to keep or to send: it loads nothing from elsewhere,
//! and what it tells of a log is text in it.
//!
//! Logs are read as they come, `zcat access.log.*.gz | replay --log -` as well as `replay --log access.log.2.xz`: which
//! formats are understood, says `replay --help`. Lines that are no requests are counted, and the report shows the first
//! of them with the reason.
//!
//! Its status is 0 when the store holds what it should, 1 when it does not, and 2 when the replay could not be carried
//! out.

use std::io::{self, Write};
use std::process::ExitCode;

use session_examples::command_line::explain;
use session_examples::replay::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::from_command_line();
    match replay::run(&options).await {
        Ok(report) => {
            let text = if options.json { format!("{:#}\n", report.to_json()) } else { report.to_string() };
            match io::stdout().write_all(text.as_bytes()) {
                // Whoever reads the report may have seen enough of it.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    eprintln!("error: cannot write the report: {error}");
                    ExitCode::from(2)
                }
                _ => ExitCode::from(report.exit_status()),
            }
        }
        Err(error) => {
            eprintln!("error: {}", explain(&error));
            ExitCode::from(2)
        }
    }
}
