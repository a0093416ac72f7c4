//! The golden scripts, each played through the real loop.

use std::fs;
use std::path::{Path, PathBuf};

use tapctl::script::{Script, alone};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn played(file: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let script = Script::parse(&name, &fs::read_to_string(file).unwrap())
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let folder = tempfile::tempdir().unwrap();
    alone(&script, folder.path(), |_| ()).map_err(|failed| format!("{failed}\n{}", failed.screen))
}

#[test]
fn every_golden_script_holds_to_its_last_line() {
    let files = files();
    assert!(files.len() >= 10 && files.iter().all(|file| file.extension().is_some_and(|e| e == "script")), "{files:?}");
    let broken: Vec<String> = std::thread::scope(|scope| {
        let playing: Vec<_> = files.iter().map(|file| scope.spawn(|| played(file))).collect();
        playing.into_iter().filter_map(|thread| thread.join().unwrap().err()).collect()
    });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
