//! How the released program is linked.
//!
//! On Linux with glibc it stands at a fixed address: one that may stand anywhere carries a table of its 64,000 own
//! addresses, a sixteenth of its size, and mends each of them at every start (`docs/decisions/0009-fixed-address.md`).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
