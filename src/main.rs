//! The program: errors in colour, the arguments, the exit code. Everything else is in the library.

use std::process::ExitCode;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    tapctl::run(std::env::args_os())
}
