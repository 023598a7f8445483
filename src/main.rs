//! The `ebbline` command: everything is in `ebbline::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ebbline::cli::run()
}
