//! The `rasid` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    rasid::cli::main()
}
