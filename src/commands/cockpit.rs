//! Opens the cockpit on the stack that the configuration names.
//!
//! It checks that there is a terminal to draw on before anything else.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::compose::session::{Session, connect, reconnect};
use crate::compose::{ComposeError, host};
use crate::config::{ColorWhen, Env, Global, MouseOf, NotifyWhen, Settings, ThemeFor, process_env};
use crate::domain::model::Model;
use crate::domain::provision::PulumiProblem;
use crate::domain::screen::Watched;
use crate::domain::stack_reload::StackReloaded;
use crate::runtime::reload::ReloadStack;
use crate::runtime::terminal::{self, Taken};
use crate::runtime::{input, run_reloading};
use crate::ui::{Ground, Palette, Theme};

use super::console::Console;
use super::failure::{Exit, Failure};
use super::tty;

/// Says why a cockpit cannot be drawn, when it cannot.
///
/// # Errors
/// [`Failure`] without a terminal.
pub fn check_terminal() -> Result<(), Failure> {
    if process_env("TERM").is_some_and(|term| term == "dumb") {
        return Err(Failure::new(
            Exit::Error,
            "no_terminal",
            "this terminal says that it cannot be drawn on (TERM=dumb)",
            "set TERM to what it is, as in `TERM=xterm-256color tapctl`, or use `tapctl status`, `shift` and `rollback`",
        ));
    }
    if tty::can_draw() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Error,
        "no_terminal",
        "the cockpit needs a terminal on stdin and stdout",
        "run it in a terminal (ssh -t), or use `tapctl status`, `gates`, `shift` and `rollback` in scripts",
    ))
}

/// Opens it on the configured stack.
///
/// # Errors
/// [`Failure`] without a terminal, or when the configuration cannot be used.
pub async fn run(global: &Global) -> Result<Exit, Failure> {
    check_terminal()?;
    let session = connect(global).await?;
    let again = again(&session);
    Box::pin(open(session, again)).await
}

/// The stack of this session, read anew. Only what is known of the stack may change under an open cockpit: its journal
/// is being written, and its questions name this stack.
fn again(session: &Session) -> Again {
    let (settings, name, folder) = (session.settings.clone(), session.stack.name.clone(), session.state_dir.clone());
    Arc::new(move || {
        let (settings, name, folder) = (settings.clone(), name.clone(), folder.clone());
        Box::pin(reconnect(settings, name, folder))
    })
}

/// Puts a session together anew, from what the stack is then.
pub type Again = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Session, ComposeError>> + Send>> + Send + Sync>;

/// How often a simulator is asked for its time, which somebody may have moved.
const RESYNC: Duration = Duration::from_secs(2);

/// Opens it on a session, and gives the terminal back when it is over. `again` is asked for another session when Pulumi
/// has changed the stack; until it gives one, the cockpit stays with the one it has.
///
/// # Errors
/// [`Failure`] when the terminal cannot be taken over or no longer be drawn on.
pub async fn open(session: Session, again: Again) -> Result<Exit, Failure> {
    let broken = |error: io::Error| {
        Failure::new(
            Exit::Error,
            "terminal",
            format!("the terminal cannot be used: {error}"),
            "try another terminal; every weight is where it was",
        )
    };
    let (palette, ascii) = look(&session.settings, &process_env);
    let theme = Theme::new(palette, ascii).on(ground(session.settings.theme, &process_env));
    let mut model =
        Model::new(session.stack.clone(), session.watcher.clone(), session.policy.clone(), session.ports.clock.now());
    model.has_shell = host::has_shell();
    model.screen.mouse = session.settings.mouse == MouseOf::Cockpit;
    if session.settings.notify == NotifyWhen::Away {
        model.screen.watched = Watched::Here;
    }
    let ports = session.ports.clone();
    let current = Arc::new(Mutex::new(Arc::new(session)));
    let reload = reload(again, Arc::clone(&current));
    terminal::restore_on_panic();
    let mut taken = Taken::take(model.screen.mouse, model.screen.watched != Watched::NotAsked).map_err(broken)?;
    let time = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(RESYNC);
        loop {
            ticks.tick().await;
            let session = Arc::clone(&current.lock().unwrap_or_else(PoisonError::into_inner));
            session.resync().await;
        }
    });
    let keys = input::with_signals(input::from_terminal());
    let end = run_reloading(&mut taken.terminal, theme, keys, model, ports, reload, terminal::tell).await;
    drop(taken);
    time.abort();
    match end {
        Ok(model) => say_what_goes_on(&model),
        // As when the process is told that the connection is gone: there is nobody to tell.
        Err(error) if is_gone(&error) => {}
        Err(error) => return Err(broken(error)),
    }
    Ok(Exit::Done)
}

/// Whether there is no terminal any more, as when a connection drops.
fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) || error.kind() == io::ErrorKind::BrokenPipe
}

/// A run that outlives the cockpit, and a change that it was left with, on the screen that the operator is left with. A
/// scenario's run ends with its simulator.
fn say_what_goes_on(model: &Model) {
    if let Some(run) = model.provision.going_on().filter(|_| model.watcher.simulation.is_none()) {
        let text =
            format!("pulumi {} goes on, as {}; `tapctl attach`, or `tapctl`, follows it", run.head.kind, run.head.id);
        Console::standard().say(&text);
    }
    if let Some(text) = &model.parting {
        Console::standard().say(text);
    }
}

/// What the loop asks: another session, which is then the current one.
fn reload(again: Again, current: Arc<Mutex<Arc<Session>>>) -> ReloadStack {
    Arc::new(move || {
        let (again, current) = (Arc::clone(&again), Arc::clone(&current));
        Box::pin(async move {
            let session =
                again().await.map_err(Failure::from).map_err(|f| PulumiProblem { message: f.message, hint: f.hint })?;
            let (stack, watcher, policy) = (session.stack.clone(), session.watcher.clone(), session.policy.clone());
            let reloaded = StackReloaded { stack, watcher, policy };
            let ports = session.ports.clone();
            *current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(session);
            Ok((reloaded, ports))
        })
    })
}

/// Colours that the terminal can show, and whether only ASCII: as set, or as its environment says.
fn look(settings: &Settings, env: Env<'_>) -> (Palette, bool) {
    let says = |name: &str, word: &str| env(name).is_some_and(|value| value.to_lowercase().contains(word));
    let palette = match settings.color {
        ColorWhen::Never => Palette::Mono,
        ColorWhen::Auto | ColorWhen::Always
            if says("TERM", "256") || says("COLORTERM", "truecolor") || says("COLORTERM", "24bit") =>
        {
            Palette::Full
        }
        ColorWhen::Auto | ColorWhen::Always => Palette::Sixteen,
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env(name).filter(|v| !v.is_empty()));
    let utf8 = locale.is_some_and(|value| value.to_lowercase().replace('-', "").contains("utf8"));
    // The console of Linux has a font of 512 glyphs at most, without braille and most marks.
    let console = env("TERM").is_some_and(|term| term == "linux");
    (palette, settings.ascii || console || !utf8)
}

/// The terminal's ground, as set, or as it says itself. rxvt, Konsole, iTerm2 and others name the numbers of their ink
/// and of their ground in COLORFGBG: `0;15`, `0;default;15`.
fn ground(theme: ThemeFor, env: Env<'_>) -> Ground {
    let said = || env("COLORFGBG").and_then(|value| value.rsplit(';').next()?.trim().parse::<u8>().ok());
    match theme {
        ThemeFor::Dark => Ground::Dark,
        ThemeFor::Light => Ground::Light,
        ThemeFor::Auto => match said() {
            // Of the sixteen, white, bright white and the bright colours are light.
            Some(7 | 9..=15) => Ground::Light,
            _ => Ground::Dark,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::known;
    use crate::compose::naming::{settled, short_name};
    use crate::compose::session::assemble;

    #[tokio::test]
    async fn what_is_read_anew_is_the_same_stack_in_the_same_folder_whatever_its_configuration_says() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let pulumi = folder.path().join("cli");
        let script = "#!/bin/sh\ncase \"$*\" in\n*--show-name*) echo prod;;\n*'stack output'*) echo '{}';;\n\
                      *'stack ls'*) echo '[{\"name\":\"prod\"}]';;\n\
                      *config*'--stack prod'*) echo '{\"tap:environmentSuffix\":{\"value\":\"night\"}}';;\n\
                      *) echo v3.255.0;;\nesac\n";
        std::fs::write(&pulumi, script).unwrap();
        std::fs::set_permissions(&pulumi, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("Pulumi.yaml"), "name: tap\nruntime: python\n").unwrap();
        let settings = Settings {
            pulumi: Some(pulumi),
            pulumi_dir: folder.path().to_owned(),
            outputs: None,
            stack: None,
            ..Settings::load(&Global::default(), &|_| None).unwrap()
        };
        let settings = settled(settings).await.unwrap();
        let known = known::find(&settings).await.unwrap();
        assert_eq!((short_name(&settings, &known).as_str(), known.suffix()), ("prod", "night"));
        let state = folder.path().join("state");
        let first = assemble(settings, known, "prod".to_owned(), state.clone(), None).await.unwrap();
        let second = again(&first)().await.unwrap();
        assert_eq!((second.stack.name.as_str(), &second.state_dir), ("prod", &state));
        assert_eq!((second.known.suffix(), &second.settings), ("night", &first.settings));
    }

    #[test]
    fn the_ground_is_what_was_set_and_else_what_the_terminal_says() {
        let with = |theme, said: Option<&'static str>| {
            ground(theme, &move |name: &str| said.filter(|_| name == "COLORFGBG").map(str::to_owned))
        };
        for (said, wanted) in [
            (None, Ground::Dark),
            (Some("15;0"), Ground::Dark),
            (Some("0;15"), Ground::Light),
            (Some("0;default;15"), Ground::Light),
            (Some("7;8"), Ground::Dark),
            (Some("0;7"), Ground::Light),
            (Some("default;default"), Ground::Dark),
            (Some(""), Ground::Dark),
        ] {
            assert_eq!(with(ThemeFor::Auto, said), wanted, "{said:?}");
            assert_eq!(with(ThemeFor::Light, said), Ground::Light);
            assert_eq!(with(ThemeFor::Dark, said), Ground::Dark);
        }
    }

    #[test]
    fn a_locale_without_utf_8_and_the_console_get_ascii() {
        let settings = Settings::load(&Global::default(), &|_| None).unwrap();
        let with = |vars: &'static [(&'static str, &'static str)]| {
            let env = move |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            look(&settings, &env)
        };
        assert_eq!(with(&[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")]), (Palette::Full, false));
        assert_eq!(with(&[("TERM", "linux"), ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]), (Palette::Sixteen, true));
        assert_eq!(with(&[("TERM", "linux"), ("LANG", "de_DE.utf8")]), (Palette::Sixteen, true));
    }
}
