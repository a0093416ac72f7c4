//! Documents are outputs: the README's tables come from the code, the screenshots from the simulator.
//!
//! `UPDATE_DOCUMENTS=1 cargo test --test cockpit documents` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tapctl::keymap::KEYMAP;
use tapctl::sim::Scenario;
use tapctl::ui::{Ground, Palette, Theme};

use crate::drill::Drill;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn updating() -> bool {
    std::env::var_os("UPDATE_DOCUMENTS").is_some()
}

/// Compares a file with what it should hold, or writes it.
#[track_caller]
fn holds(path: &Path, wanted: &str) {
    let found = fs::read_to_string(path).unwrap_or_default();
    if found == wanted {
        return;
    }
    if updating() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, wanted).unwrap();
        return;
    }
    let line = found.lines().zip(wanted.lines()).position(|(a, b)| a != b).unwrap_or(0);
    panic!("{} is stale from line {}; `make documents` writes it anew", path.display(), line + 1);
}

/// The README with the text between two markers replaced.
fn with_block(readme: &str, name: &str, block: &str) -> String {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let start = readme.find(&begin).expect("the marker is there") + begin.len();
    let stop = readme[start..].find(&end).expect("the marker is closed") + start;
    format!("{}{block}{}", &readme[..start], &readme[stop..])
}

#[test]
fn the_readme_tells_the_keys_and_scenarios_that_the_code_has() {
    let mut keys = String::from("| key | what it does |\n|---|---|\n");
    for binding in KEYMAP {
        let labels: Vec<_> = binding.keys.iter().map(|key| format!("`{}`", key.label())).collect();
        writeln!(keys, "| {} | {} |", labels.join(" "), binding.help).unwrap();
    }
    let mut scenarios = String::from("| scenario | what happens |\n|---|---|\n");
    for scenario in Scenario::ALL {
        writeln!(scenarios, "| `{}` | {} |", scenario.name(), scenario.description()).unwrap();
    }
    let path = file("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    holds(&path, &with_block(&with_block(&readme, "keys", &keys), "scenarios", &scenarios));
}

/// The screens that are kept, made anew.
async fn screens() -> Vec<(&'static str, String)> {
    let mut drill = Drill::new(Scenario::Steady);
    drill.play("<5s>]<1s>y<700s>").await;
    let dark = Theme::new(Palette::Full, false);
    let light = dark.clone().on(Ground::Light);
    let mut shots = Vec::new();
    for (name, script) in [
        ("overview", "<5s>]<1s>y<200s>"),
        ("confirm", "<500s>]<1s>"),
        ("traffic", "<5s>2<2s>"),
        ("replication", "<5s>3<2s>"),
        ("service", "<5s>4<2s>"),
        ("journal", "<5s>6<2s>"),
        ("help", "<5s>?<1s>"),
    ] {
        shots.push((name, drill.picture(script, &dark).await));
    }
    shots.push(("overview-light", drill.picture("<5s>", &light).await));
    drill.size = (200, 60);
    shots.push(("overview-200x60", drill.picture("<5s>", &dark).await));
    let lag = Drill::new(Scenario::LagSpike);
    shots.push(("blocked", lag.picture("<330s>]<1s>", &dark).await));
    shots
}

/// A picture without its numbers and gaps: on a busy machine an age can fall on another step, and is as true.
fn words(svg: &str) -> String {
    svg.chars().filter(|c| !c.is_ascii_digit() && !c.is_whitespace() && !matches!(c, '.' | ',' | ':')).collect()
}

#[tokio::test(start_paused = true)]
async fn the_screenshots_show_the_cockpit_as_it_is() {
    for (name, svg) in screens().await {
        let path = file(&format!("screenshots/{name}.svg"));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        if updating() || words(&kept) != words(&svg) {
            holds(&path, &svg);
        }
    }
}

/// The commands that messages and documents name, so that nobody is sent to one that does not exist.
#[test]
fn every_command_that_is_named_exists() {
    use clap::CommandFactory;
    let known: Vec<String> = tapctl::cli::Cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut unknown = Vec::new();
    let mut texts: Vec<PathBuf> = vec![file("README.md"), file("pulumi/README.md")];
    let mut folders = vec![file("src"), file("pulumi/lib")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs" || e == "py") {
                texts.push(path);
            }
        }
    }
    for path in texts {
        for part in fs::read_to_string(&path).unwrap().split("`tapctl ").skip(1) {
            let word: String = part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            let follows = part[word.len()..].chars().next();
            let is_hidden_or_help = word.is_empty() || word == "help";
            if !is_hidden_or_help && follows != Some('_') && !known.contains(&word) {
                unknown.push(format!("{}: tapctl {word}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
