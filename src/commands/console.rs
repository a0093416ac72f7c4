//! Where commands print: data to stdout, words for people to stderr.
//!
//! Both take nothing but [`Printable`]: whatever is printed is made harmless here once more, and holds no secret.
//! A reader that goes away (`tapctl journal | head`) is no error; a full disk behind stdout is.

use std::io::{self, Write};

use serde::Serialize;

use crate::compose::session::Told;
use crate::domain::record::Entry;
use crate::domain::text::Printable;

use super::failure::{Exit, Failure};
use super::text;

/// Two streams.
pub struct Console {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    /// Nobody reads stdout any more.
    pub closed: bool,
}

impl Console {
    /// The process's own streams.
    #[must_use]
    pub fn standard() -> Self {
        Self::to(Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Any two streams.
    #[must_use]
    pub fn to(stdout: Box<dyn Write + Send>, stderr: Box<dyn Write + Send>) -> Self {
        Self { stdout, stderr, closed: false }
    }

    /// Prints data, and a line's end where it has none.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn data(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&Printable::lines(text))
    }

    fn write(&mut self, text: &Printable<'_>) -> Result<(), Failure> {
        let text = text.as_str();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let written = self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.write_all(end.as_bytes()));
        match written.and_then(|()| self.stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result.map_err(|error| unwritable(&error)),
        }
    }

    /// Prints one JSON object on one line.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| unwritable(&io::Error::from(error)))?;
        self.write(&Printable::json(&text))
    }

    /// Says something to people. There is nobody to tell when that fails.
    ///
    /// Every line after the first is set in, so that no text from outside can stand where a line of ours begins.
    pub fn say(&mut self, text: &str) {
        let text = Printable::lines(text);
        let mut lines = text.as_str().lines();
        let mut shown = lines.next().unwrap_or_default().to_owned();
        for line in lines {
            shown.push_str(if line.starts_with("  ") { "\n" } else { "\n  " });
            shown.push_str(line);
        }
        let _ = writeln!(self.stderr, "{shown}");
    }

    /// Says something and stays on the line.
    pub fn prompt(&mut self, text: &str) {
        let _ = write!(self.stderr, "{}", Printable::lines(text).as_str());
        let _ = self.stderr.flush();
    }

    /// Says why a command failed; with `json` also as the only object on stdout.
    pub fn failure(&mut self, failure: &Failure, json: bool) {
        if json {
            let _ = self.json(&failure.json());
        }
        self.say(&format!("tapctl: {}", failure.message));
        if !failure.hint.is_empty() {
            self.say(&format!("  Next step: {}", failure.hint));
        }
    }
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(Exit::Error, "stdout", format!("stdout cannot be written: {error}"), "check where stdout goes to")
}

impl Told for Console {
    fn settled(&mut self, entry: &Entry) {
        self.say(&format!("settled: {}", text::entry(entry)));
    }

    fn still_open(&mut self, change: &str) {
        self.say(&format!("not known yet: {change}"));
    }

    fn held(&mut self, by: &str) {
        self.say(by);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A stream that keeps what is written.
    #[derive(Clone, Default)]
    pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn captured() -> (Console, Kept, Kept) {
        let (stdout, stderr) = (Kept::default(), Kept::default());
        (Console::to(Box::new(stdout.clone()), Box::new(stderr.clone())), stdout, stderr)
    }

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failure_is_the_only_object_on_stdout_and_words_on_stderr() {
        let (mut out, stdout, stderr) = captured();
        out.failure(&Failure::usage("no such thing"), true);
        assert!(serde_json::from_str::<serde_json::Value>(&stdout.text()).unwrap()["error"].is_object());
        assert!(stderr.text().starts_with("tapctl: no such thing\n  Next step: "));
        let (mut out, stdout, _) = captured();
        out.failure(&Failure::usage("no such thing"), false);
        assert_eq!(stdout.text(), "");
    }

    #[test]
    fn nothing_that_is_printed_steers_the_terminal_or_tells_a_secret() {
        crate::domain::text::keep_secret(["printed-passphrase".to_owned()]);
        let (mut out, stdout, stderr) = captured();
        let bad = "row\u{1b}]52;c;eA==\u{7} \u{202e}liaf \u{9b}2J printed-passphrase";
        out.data(bad).unwrap();
        out.json(&serde_json::json!({"name": bad})).unwrap();
        out.say(bad);
        out.prompt(bad);
        out.failure(&Failure::usage(bad), true);
        for text in [stdout.text(), stderr.text()] {
            assert!(!text.chars().any(|c| c != '\n' && crate::domain::text::is_unfit(c)), "{text:?}");
            assert!(text.contains("[secret]") && !text.contains("passphrase"), "{text}");
        }
        let object = stdout.text().lines().nth(1).unwrap().to_owned();
        assert!(
            serde_json::from_str::<serde_json::Value>(&object).unwrap()["name"].as_str().unwrap().contains('\u{1b}')
        );
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        let mut out = Console::to(Box::new(Broken(io::ErrorKind::BrokenPipe)), Box::new(io::sink()));
        assert!(out.data("x").is_ok() && out.closed);
        let mut out = Console::to(Box::new(Broken(io::ErrorKind::StorageFull)), Box::new(io::sink()));
        assert_eq!(out.data("x").unwrap_err().exit, Exit::Error);
    }
}
