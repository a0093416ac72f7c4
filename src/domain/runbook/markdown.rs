//! Text from outside inside Markdown: it stays text, whatever it holds.

/// The longest run of backticks.
fn ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A code span (CommonMark 6.1): nothing in it is markup, and only as many backticks as it begins with end it.
pub(super) fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    // What comes in is on one line already; a line of its own could begin a block.
    let text = text.replace(['\n', '\r'], " ");
    let fence = "`".repeat(ticks(&text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A block of commands, one on each line, that no text in it can end.
pub(super) fn fenced(commands: &str) -> String {
    let fence = "`".repeat((ticks(commands) + 1).max(3));
    format!("{fence}sh\n{}\n{fence}\n\n", commands.trim_end())
}

/// A sentence that tapctl or AWS said: its signs are no markup.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_span_or_the_block_that_it_stands_in() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code("a\n# b"), "`a # b`");
        assert_eq!(code(" "), "(empty)");
        assert_eq!(fenced("echo '```'"), "````sh\necho '```'\n````\n\n");
        assert_eq!(plain("<b>[x](y) `z`"), "\\<b\\>\\[x\\](y) \\`z\\`");
    }
}
