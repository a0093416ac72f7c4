//! Names as Route 53 writes them.

use std::fmt::Write as _;

/// A name as Route 53 writes it: lower case, a final dot, and an octal escape for every character that is not plain.
pub(super) fn normal_name(name: &str) -> String {
    let bytes = name.trim_end_matches('.').as_bytes();
    let octal = |from: usize| {
        bytes.get(from..from + 3).is_some_and(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)))
    };
    let mut normal = String::with_capacity(bytes.len() + 1);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => normal.push(char::from(*byte)),
            b'A'..=b'Z' => normal.push(char::from(byte.to_ascii_lowercase())),
            b'\\' if octal(index + 1) => normal.push('\\'),
            other => {
                let _ = write!(normal, "\\{other:03o}");
            }
        }
    }
    normal.push('.');
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_route_53_writes_them() {
        let cases = [
            ("App.Example.COM", "app.example.com."),
            ("*.dev.example.com.", "\\052.dev.example.com."),
            ("\\052.dev.example.com", "\\052.dev.example.com."),
            ("a b.example.com", "a\\040b.example.com."),
            ("back\\slash", "back\\134slash."),
        ];
        for (name, expected) in cases {
            assert_eq!(normal_name(name), expected);
        }
    }
}
