//! Thin binary.
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["__run", "--dir", dir] => ExitCode::from(tapctl::adapters::pulumi::supervisor::main(Path::new(dir))),
        ["__pulumi", ..] => {
            let rest: Vec<String> = args[1..].iter().map(|arg| (*arg).to_owned()).collect();
            ExitCode::from(tapctl::standin::main(&rest))
        }
        _ => ExitCode::from(2),
    }
}
