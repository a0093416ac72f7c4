//! `completions` and `man`: made from the definition of the command line, so they cannot say anything else.

use crate::cli;

use super::console::Console;
use super::failure::{Exit, Failure};

/// Prints the completions of a shell.
///
/// # Errors
/// When stdout cannot be written.
pub fn completions(shell: clap_complete::Shell, out: &mut Console) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut cli::definition(), "tapctl", &mut text);
    out.data(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

/// Prints the man page: the program's own, then one section for each command.
///
/// # Errors
/// When stdout cannot be written.
pub fn man(out: &mut Console) -> Result<Exit, Failure> {
    let mut definition = cli::definition().disable_help_subcommand(true);
    definition.build();
    let mut text = Vec::new();
    let mut render = || -> std::io::Result<()> {
        clap_mangen::Man::new(definition.clone()).render(&mut text)?;
        for command in definition.get_subcommands() {
            let page = clap_mangen::Man::new(command.clone());
            text.extend_from_slice(format!(".SH {}\n", command.get_name().to_uppercase()).as_bytes());
            let mut body = Vec::new();
            page.render_synopsis_section(&mut body)?;
            page.render_description_section(&mut body)?;
            page.render_options_section(&mut body)?;
            text.extend_from_slice(
                String::from_utf8_lossy(&body).replace("\n.SH ", "\n.SS ").replacen(".SH ", ".SS ", 1).as_bytes(),
            );
        }
        Ok(())
    };
    render().map_err(|error| Failure::new(Exit::Error, "man", error.to_string(), ""))?;
    out.data(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::console::tests::captured;

    #[test]
    fn every_command_is_in_the_man_page_and_in_the_completions() {
        let (mut out, stdout, _) = captured();
        man(&mut out).unwrap();
        let page = stdout.text();
        for command in cli::definition().get_subcommands() {
            assert!(page.contains(&format!(".SH {}", command.get_name().to_uppercase())), "{}", command.get_name());
        }
        let (mut out, stdout, _) = captured();
        completions(clap_complete::Shell::Bash, &mut out).unwrap();
        assert!(stdout.text().contains("iam-policy"));
    }
}
