//! A frame as an SVG document: how the README's screenshots are made, and how a screen can be looked at without a terminal.
//!
//! Pure: a buffer in, text out. Every run of text is pinned to its column, and the characters that join their
//! neighbours (blocks, rules, Braille) are drawn as shapes, so that no font can tear the picture.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};

use super::{Ground, Theme};

/// Width of a cell in pixels: six tenths of the font size, as monospaced fonts have it.
const CELL_W: f64 = 8.4;
/// Height of a cell in pixels.
const CELL_H: f64 = 18.0;
/// Font size in pixels.
const FONT: f64 = 14.0;
/// Where the text stands in a cell, from its top.
const BASE: f64 = 13.5;
/// Space around the screen in pixels.
const MARGIN: f64 = 12.0;
/// The page behind the screen, and the ink on it.
struct Sheet {
    page: &'static str,
    ink: &'static str,
}

const DARK: Sheet = Sheet { page: "#16181d", ink: "#d7dae0" };
const LIGHT: Sheet = Sheet { page: "#fbfaf6", ink: "#24272e" };

/// Draws the buffer as an SVG document with `title` as its accessible name, on the ground that its theme is made for.
#[must_use]
pub fn document(buffer: &Buffer, title: &str, theme: &Theme) -> String {
    let sheet = if theme.ground() == Ground::Light { &LIGHT } else { &DARK };
    let area = buffer.area;
    let width = f64::from(area.width).mul_add(CELL_W, 2.0 * MARGIN);
    let height = f64::from(area.height).mul_add(CELL_H, 2.0 * MARGIN);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" role=\"img\">\n<title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n\
         <g font-family=\"'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"{FONT}\" \
         xml:space=\"preserve\" style=\"font-variant-ligatures:none\">\n",
        escape(title),
        sheet.page
    );
    for y in 0..area.height {
        row(&mut out, buffer, y, sheet);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// One row: grounds first, then shapes, then runs of text.
fn row(out: &mut String, buffer: &Buffer, y: u16, sheet: &Sheet) {
    let area = buffer.area;
    let top = f64::from(y).mul_add(CELL_H, MARGIN);
    let cells: Vec<&Cell> = (0..area.width).filter_map(|x| buffer.cell((area.x + x, area.y + y))).collect();
    for (from, to, colour) in grounds_of(&cells, sheet) {
        let (x, width) = ((from as f64).mul_add(CELL_W, MARGIN), (to - from) as f64 * CELL_W);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{CELL_H}\" fill=\"{colour}\"/>"
        );
    }
    for (from, style, text) in runs_of(&cells) {
        text_run(out, ((from as f64).mul_add(CELL_W, MARGIN), top), &ink(style, sheet), style, &text);
    }
}

/// Neighbours on the same ground: from where, to where, which.
fn grounds_of(cells: &[&Cell], sheet: &Sheet) -> Vec<(usize, usize, String)> {
    let mut grounds: Vec<(usize, usize, String)> = Vec::new();
    for (x, cell) in cells.iter().enumerate() {
        if let Some(ground) = ground(cell.style(), sheet) {
            match grounds.last_mut() {
                Some((_, end, colour)) if *end == x && *colour == ground => *end += 1,
                _ => grounds.push((x, x + 1, ground)),
            }
        }
    }
    grounds
}

/// Neighbours that are written in one go: plain text of one style, or the same shape several times.
fn runs_of(cells: &[&Cell]) -> Vec<(usize, Style, String)> {
    let mut runs: Vec<(usize, Style, String)> = Vec::new();
    for (x, cell) in cells.iter().enumerate() {
        let style = cell.style();
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            match runs.last_mut() {
                Some((from, last, text)) if *last == style && *from + text.len() == x && text.is_ascii() => {
                    text.push_str(symbol);
                }
                _ => runs.push((x, style, symbol.to_owned())),
            }
        } else {
            match runs.last_mut() {
                Some((from, last, text))
                    if *last == style
                        && *from + text.chars().count() == x
                        && text.ends_with(symbol)
                        && !text.is_ascii() =>
                {
                    text.push_str(symbol);
                }
                _ => runs.push((x, style, symbol.to_owned())),
            }
        }
    }
    runs
}

/// One run of text at `x`, in the row that begins at `top`.
fn text_run(out: &mut String, (x, top): (f64, f64), colour: &str, style: Style, text: &str) {
    let faint = if style.add_modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    if let Some(shape) = shape(text, x, top) {
        let _ = writeln!(out, "<path d=\"{shape}\" fill=\"{colour}\"{faint}/>");
        return;
    }
    let lead = text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let x = (lead as f64).mul_add(CELL_W, x);
    let mut extra = faint.to_owned();
    if style.add_modifier.contains(Modifier::BOLD) {
        extra.push_str(" font-weight=\"bold\"");
    }
    if style.add_modifier.contains(Modifier::UNDERLINED) {
        extra.push_str(" text-decoration=\"underline\"");
    }
    if text.is_ascii() && text.len() > 1 {
        let _ = write!(extra, " textLength=\"{:.1}\"", text.len() as f64 * CELL_W);
    }
    let y = top + BASE;
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\"{extra}>{}</text>", escape(text));
}

/// Characters that touch their neighbours, as outlines; `text` is one of them, or the same one several times.
fn shape(text: &str, x: f64, y: f64) -> Option<String> {
    let c = text.chars().next().filter(|_| !text.is_ascii())?;
    let count = text.chars().count() as f64;
    let h = CELL_H;
    if matches!(c, '█' | '─' | '━') {
        let (top, tall) = match c {
            '█' => (1.5, h - 3.0),
            '─' => (h / 2.0 - 0.6, 1.2),
            _ => (h / 2.0 - 1.5, 3.0),
        };
        let wide = count * CELL_W;
        return Some(format!("M{x:.1} {:.1}h{wide:.1}v{tall:.1}h{:.1}z", y + top, -wide));
    }
    (0..text.chars().count()).map(|i| cell_shape(c, (i as f64).mul_add(CELL_W, x), y)).collect()
}

/// One such character.
fn cell_shape(c: char, x: f64, y: f64) -> Option<String> {
    let (middle, centre, thin) = (CELL_W / 2.0, CELL_H / 2.0, 1.2);
    let rect = |right: f64, down: f64, wide: f64, tall: f64| {
        format!("M{:.1} {:.1}h{wide:.1}v{tall:.1}h{:.1}z", x + right, y + down, -wide)
    };
    let across = |from: f64, to: f64| rect(from, centre - thin / 2.0, to - from, thin);
    let down = |from: f64, to: f64| rect(middle - thin / 2.0, from, thin, to - from);
    Some(match c {
        '▁'..='▇' => {
            let rise = f64::from(c as u32 - 0x2580) / 8.0 * (CELL_H - 3.0);
            rect(0.6, CELL_H - 1.5 - rise, CELL_W - 1.2, rise)
        }
        '▒' | '░' => {
            // Stripes stand for the shading: they look the same in every browser.
            let (step, wide) = if c == '▒' { (2.1, 1.3) } else { (2.8, 0.7) };
            let count = (CELL_W / step).round() as usize;
            (0..count).map(|i| rect(i as f64 * step, 1.5, wide, CELL_H - 3.0)).collect()
        }
        '▕' => rect(CELL_W - 1.4, 1.5, 1.4, CELL_H - 3.0),
        '▏' => rect(0.0, 1.5, 1.4, CELL_H - 3.0),
        '┅' => rect(0.8, centre - 1.5, CELL_W * 0.3, 3.0) + &rect(CELL_W * 0.55, centre - 1.5, CELL_W * 0.3, 3.0),
        '│' => down(0.0, CELL_H),
        '┆' => down(0.6, CELL_H * 0.28) + &down(CELL_H * 0.38, CELL_H * 0.62) + &down(CELL_H * 0.72, CELL_H - 0.6),
        '┌' => across(middle, CELL_W) + &down(centre, CELL_H),
        '┐' => across(0.0, middle) + &down(centre, CELL_H),
        '└' => across(middle, CELL_W) + &down(0.0, centre),
        '┘' => across(0.0, middle) + &down(0.0, centre),
        '┄' => {
            across(0.6, CELL_W * 0.28) + &across(CELL_W * 0.38, CELL_W * 0.62) + &across(CELL_W * 0.72, CELL_W - 0.6)
        }
        '\u{2800}'..='\u{28ff}' => {
            let bits = c as u32 - 0x2800;
            let dot = |column: f64, line: f64| {
                let (across, down) = (CELL_W * (0.25 + 0.5 * column), CELL_H * (0.125 + 0.25 * line));
                rect(across - 1.0, down - 1.0, 2.0, 2.0)
            };
            let places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
            places
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| bits & (1 << bit) != 0)
                .map(|(_, (column, line))| dot(f64::from(column), f64::from(line)))
                .collect()
        }
        _ => return None,
    })
}

fn ground(style: Style, sheet: &Sheet) -> Option<String> {
    let swapped = style.add_modifier.contains(Modifier::REVERSED);
    let colour = if swapped { style.fg.unwrap_or(Color::Reset) } else { style.bg.unwrap_or(Color::Reset) };
    match colour {
        Color::Reset if swapped => Some(sheet.ink.to_owned()),
        Color::Reset => None,
        colour => Some(hex(colour)),
    }
}

fn ink(style: Style, sheet: &Sheet) -> String {
    let swapped = style.add_modifier.contains(Modifier::REVERSED);
    let colour = if swapped { style.bg.unwrap_or(Color::Reset) } else { style.fg.unwrap_or(Color::Reset) };
    match colour {
        Color::Reset if swapped => sheet.page.to_owned(),
        Color::Reset => sheet.ink.to_owned(),
        colour => hex(colour),
    }
}

/// The colour as a terminal with the usual table shows it.
fn hex(colour: Color) -> String {
    const BASIC: [u32; 16] = [
        0x1c_1f_26, 0xe0_6c_75, 0x7e_c6_7e, 0xe5_c0_7b, 0x61_af_ef, 0xd1_8a_e0, 0x56_b6_c2, 0xd7_da_e0, 0x5c_63_70,
        0xff_7b_85, 0x98_e0_98, 0xff_d8_8f, 0x7c_c3_ff, 0xe6_a3_f2, 0x70_d0_dc, 0xff_ff_ff,
    ];
    let index = match colour {
        Color::Rgb(r, g, b) => return format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(n) => n,
        Color::Reset | Color::Gray => 7,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    let value = match index {
        0..=15 => BASIC[usize::from(index)],
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * u32::from(n) };
            let n = index - 16;
            level(n / 36) << 16 | level(n / 6 % 6) << 8 | level(n % 6)
        }
        _ => (8 + 10 * u32::from(index - 232)) * 0x01_01_01,
    };
    format!("#{value:06x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn drawn(text: &str) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, text, Style::new().fg(Color::Indexed(203)).add_modifier(Modifier::BOLD));
        document(&buffer, "a & b", &Theme::new(crate::ui::Palette::Full, false))
    }

    #[test]
    fn text_is_escaped_and_pinned_to_its_column() {
        let svg = drawn("a <b> │ x");
        assert!(svg.contains("<title>a &amp; b</title>"));
        assert!(svg.contains("font-weight=\"bold\" textLength=\"42.0\">a &lt;b&gt;</text>"), "{svg}");
        let column = 8.0f64.mul_add(CELL_W, MARGIN);
        assert!(svg.contains(&format!("<text x=\"{column:.1}\"")), "{svg}");
    }

    #[test]
    fn joining_characters_are_shapes_in_their_colour() {
        let svg = drawn("█─⣿");
        assert_eq!(svg.matches("<path ").count(), 3);
        assert!(svg.contains("fill=\"#ff5f5f\""));
    }
}
