//! Names as Route 53 writes them: lower case, a final dot, octal escapes.

/// Whether two DNS names are the same as Route 53 sees them: case, the trailing dot and the way in which a character is
/// written do not count.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    let (bare_a, bare_b) = (a.trim_end_matches('.'), b.trim_end_matches('.'));
    bare_a.eq_ignore_ascii_case(bare_b) || normal_name(bare_a) == normal_name(bare_b)
}

/// A name as Route 53 writes it, without the trailing dot: lower case, and everything but letters, digits, `-`, `_` and
/// the dot between labels as `\ooo`, three octal digits for each byte, so that `*` is `\052` (developer guide, "DNS
/// domain name format"). An escaped letter is that letter; an escaped dot stays one inside a label.
#[must_use]
pub fn normal_name(name: &str) -> String {
    let bytes = name.trim_end_matches('.').as_bytes();
    let mut normal = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let octal = bytes.get(at + 1..at + 4).filter(|_| byte == b'\\').and_then(octal_byte);
        at += if octal.is_some() { 4 } else { 1 };
        let (byte, plain_dot) = (octal.unwrap_or(byte), octal.is_none() && byte == b'.');
        if plain_dot || byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            normal.push(byte.to_ascii_lowercase().into());
        } else {
            for digit in ['\\', octal_digit(byte >> 6), octal_digit(byte >> 3), octal_digit(byte)] {
                normal.push(digit);
            }
        }
    }
    normal
}

/// A name as people write it: Route 53's escapes of what can be read as it is (`\\052` is `*`) taken out.
#[must_use]
pub fn readable_name(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut readable = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let at = bytes.len() - rest.len();
        let octal = bytes.get(at + 1..at + 4).filter(|_| c == '\\').and_then(octal_byte);
        if let Some(byte) = octal.filter(|byte| byte.is_ascii_graphic() && !matches!(byte, b'.' | b'\\')) {
            readable.push(byte.into());
            rest = &rest[4..];
        } else {
            readable.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    readable
}

fn octal_digit(bits: u8) -> char {
    char::from(b'0' + (bits & 7))
}

fn octal_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 8).ok().filter(|_| digits.iter().all(u8::is_ascii_digit))
}
