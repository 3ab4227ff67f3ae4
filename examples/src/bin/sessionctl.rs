//! `sessionctl --store URL COMMAND`: looks after the sessions in a store, whatever their types.
//!
//! Its status is 0 when it did what it was asked to, 1 when there is no such session or registration, and 2 when it
//! could not be carried out.

use std::io;
use std::process::ExitCode;

use session_examples::command_line::explain;
use session_examples::sessionctl::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::from_command_line();
    match sessionctl::run(&options, &mut io::stdout().lock()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", explain(&error));
            ExitCode::from(2)
        }
    }
}
