//! What was typed after `pulumi`: words, options with their values, and flags, told apart as the CLI does.

use std::collections::BTreeMap;

/// Options that take a value.
const VALUED: [&str; 8] =
    ["--stack", "--cwd", "--color", "--save-plan", "--plan", "--config-file", "--type", "--message"];

/// A command line that was taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Args {
    words: Vec<String>,
    options: BTreeMap<String, String>,
    flags: Vec<String>,
}

impl Args {
    /// Takes it apart; after `--` everything is a word.
    pub(super) fn parse(line: &[String]) -> Self {
        let mut args = Self::default();
        let mut rest = line.iter();
        while let Some(word) = rest.next() {
            let name = match word.as_str() {
                "-s" => "--stack",
                "-C" => "--cwd",
                other => other,
            };
            if word == "--" {
                args.words.extend(rest.cloned());
                break;
            } else if let Some((name, value)) = name.split_once('=').filter(|(name, _)| name.starts_with("--")) {
                args.options.insert(name.to_owned(), value.to_owned());
            } else if VALUED.contains(&name) {
                args.options.insert(name.to_owned(), rest.next().cloned().unwrap_or_default());
            } else if word.starts_with('-') && word.len() > 1 {
                args.flags.push(word.clone());
            } else {
                args.words.push(word.clone());
            }
        }
        args
    }

    pub(super) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_options_and_flags_are_told_apart() {
        let parse = |line: &str| Args::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let args = parse("config set --secret --stack demo --color=never -- tap:key -value --flag");
        assert_eq!(args.words(), ["config", "set", "tap:key", "-value", "--flag"]);
        assert_eq!((args.option("--stack"), args.option("--color")), (Some("demo"), Some("never")));
        assert!(args.has("--secret") && !args.has("--flag"));
        assert_eq!(parse("stack output -s prod --json").option("--stack"), Some("prod"));
        assert_eq!(parse("preview --plan").option("--plan"), Some(""));
    }
}
