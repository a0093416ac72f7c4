//! The colours of each role: on 256 colours, on sixteen, on none; on a dark ground and on a light one.
//!
//! Pure. Legacy is orange and new is blue, the pair that people with any of the usual colour blindnesses tell apart
//! (Okabe and Ito, "Color Universal Design"); fail and pass never stand without their glyphs.

use ratatui::style::{Color, Modifier, Style};

use super::{Ground, Palette, Role};

/// The style of a role.
pub(super) fn style(palette: Palette, ground: Ground, role: Role) -> Style {
    match (palette, ground) {
        (Palette::Full, Ground::Dark) => dark(role),
        (Palette::Full, Ground::Light) => light(role),
        (Palette::Sixteen, _) => sixteen(role),
        (Palette::Mono, _) => mono(role),
    }
}

/// Bold where a colour alone would be too little.
const fn weight(role: Role) -> Modifier {
    match role {
        Role::Strong
        | Role::Key
        | Role::Fail
        | Role::Unknown
        | Role::Tab
        | Role::Badge
        | Role::GoBadge
        | Role::StopBadge
        | Role::AskBadge
        | Role::WaitBadge => Modifier::BOLD,
        _ => Modifier::empty(),
    }
}

/// Ink, and the ground where the role has its own.
fn indexed(role: Role, (ink, ground): (Option<u8>, Option<u8>)) -> Style {
    let style = Style::new().add_modifier(weight(role));
    let style = ink.map_or(style, |ink| style.fg(Color::Indexed(ink)));
    ground.map_or(style, |ground| style.bg(Color::Indexed(ground)))
}

fn dark(role: Role) -> Style {
    let colours = match role {
        Role::Text | Role::Strong | Role::Key => (None, None),
        Role::Dim => (Some(245), None),
        Role::Rule => (Some(240), None),
        Role::Legacy => (Some(214), None),
        Role::New => (Some(75), None),
        Role::Pass => (Some(78), None),
        Role::Fail => (Some(203), None),
        Role::Unknown => (Some(227), None),
        Role::Waiting => (Some(182), None),
        Role::Tab => (Some(16), Some(252)),
        Role::Badge => (Some(16), Some(146)),
        Role::GoBadge => (Some(16), Some(78)),
        Role::StopBadge => (Some(231), Some(160)),
        Role::AskBadge => (Some(16), Some(227)),
        Role::WaitBadge => (Some(16), Some(182)),
    };
    indexed(role, colours)
}

fn light(role: Role) -> Style {
    let colours = match role {
        Role::Text | Role::Strong | Role::Key => (None, None),
        Role::Dim => (Some(242), None),
        Role::Rule => (Some(249), None),
        Role::Legacy => (Some(94), None),
        Role::New => (Some(25), None),
        Role::Pass => (Some(22), None),
        Role::Fail => (Some(160), None),
        Role::Unknown => (Some(58), None),
        Role::Waiting => (Some(90), None),
        Role::Tab => (Some(231), Some(238)),
        Role::Badge => (Some(231), Some(60)),
        Role::GoBadge => (Some(231), Some(22)),
        Role::StopBadge => (Some(231), Some(160)),
        Role::AskBadge => (Some(16), Some(220)),
        Role::WaitBadge => (Some(231), Some(90)),
    };
    indexed(role, colours)
}

/// The terminal's own sixteen, which fit its ground, whichever that is.
fn sixteen(role: Role) -> Style {
    let plain = Style::new().add_modifier(weight(role));
    let badge = |ground| plain.fg(Color::Black).bg(ground);
    match role {
        Role::Text | Role::Strong | Role::Key => plain,
        Role::Dim | Role::Rule => plain.add_modifier(Modifier::DIM),
        Role::Legacy => plain.fg(Color::Yellow),
        Role::New => plain.fg(Color::Blue),
        Role::Pass => plain.fg(Color::Green),
        Role::Fail => plain.fg(Color::Red),
        Role::Unknown | Role::Waiting => plain.fg(Color::Magenta),
        Role::Tab | Role::Badge => plain.add_modifier(Modifier::REVERSED),
        Role::GoBadge => badge(Color::Green),
        Role::StopBadge => plain.fg(Color::White).bg(Color::Red),
        Role::AskBadge | Role::WaitBadge => badge(Color::Magenta),
    }
}

fn mono(role: Role) -> Style {
    let plain = Style::new().add_modifier(weight(role));
    match role {
        Role::Dim | Role::Rule => plain.add_modifier(Modifier::DIM),
        Role::Fail => plain.add_modifier(Modifier::UNDERLINED),
        Role::Tab | Role::Badge | Role::GoBadge | Role::StopBadge | Role::AskBadge | Role::WaitBadge => {
            plain.add_modifier(Modifier::REVERSED)
        }
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 17] = [
        Role::Text,
        Role::Strong,
        Role::Dim,
        Role::Rule,
        Role::Legacy,
        Role::New,
        Role::Pass,
        Role::Fail,
        Role::Unknown,
        Role::Waiting,
        Role::Key,
        Role::Tab,
        Role::Badge,
        Role::GoBadge,
        Role::StopBadge,
        Role::AskBadge,
        Role::WaitBadge,
    ];

    /// Red, green and blue of the table's fixed colours, linear.
    fn linear(index: u8) -> [f64; 3] {
        let level = |n: u8| if n == 0 { 0.0 } else { f64::from(55 + 40 * u32::from(n)) };
        let grey = |n: u8| f64::from(8 + 10 * u32::from(n - 232));
        let rgb = match index {
            16..=231 => [(index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6].map(level),
            232..=255 => [grey(index); 3],
            _ => panic!("{index} is what the terminal likes"),
        };
        rgb.map(|value| value / 255.0).map(|v| if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) })
    }

    fn luminance([r, g, b]: [f64; 3]) -> f64 {
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast as WCAG 2 measures it.
    fn contrast(a: f64, b: f64) -> f64 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn index(colour: Option<Color>) -> Option<u8> {
        colour.map(|colour| if let Color::Indexed(n) = colour { n } else { panic!("{colour:?}") })
    }

    #[test]
    fn every_role_can_be_read_on_its_ground() {
        // A dark ground is rarely black, and a light one rarely white.
        for (ground, page) in [(Ground::Dark, 0.012), (Ground::Light, 0.85)] {
            for role in ROLES {
                let style = style(Palette::Full, ground, role);
                let Some(ink) = index(style.fg) else { continue };
                let under = index(style.bg).map_or(page, |n| luminance(linear(n)));
                let found = contrast(luminance(linear(ink)), under);
                let least = if role == Role::Rule { 1.5 } else { 4.5 };
                assert!(found >= least, "{role:?} on {ground:?}: {found:.2}");
            }
        }
    }

    /// How far two colours lie apart for those who lack a kind of cones (Viénot, Brettel and Mollon 1999).
    fn apart(a: u8, b: u8, lack: [[f64; 3]; 3]) -> f64 {
        let seen = |n: u8| {
            let rgb = linear(n);
            lack.map(|row| row.iter().zip(rgb).map(|(m, c)| m * c).sum::<f64>().clamp(0.0, 1.0).powf(1.0 / 2.2))
        };
        seen(a).iter().zip(seen(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn legacy_and_new_are_apart_for_everybody() {
        let protanopia = [[0.112_38, 0.887_62, 0.0], [0.112_38, 0.887_62, 0.0], [0.004_01, -0.004_01, 1.0]];
        let deuteranopia = [[0.292_75, 0.707_25, 0.0], [0.292_75, 0.707_25, 0.0], [-0.022_34, 0.022_34, 1.0]];
        for ground in [Ground::Dark, Ground::Light] {
            let ink = |role| index(style(Palette::Full, ground, role).fg).unwrap();
            for lack in [protanopia, deuteranopia] {
                let found = apart(ink(Role::Legacy), ink(Role::New), lack);
                assert!(found > 0.4, "{ground:?}: {found:.2}");
            }
        }
    }

    #[test]
    fn the_two_stacks_have_hues_of_their_own() {
        for palette in [Palette::Full, Palette::Sixteen] {
            for ground in [Ground::Dark, Ground::Light] {
                let of = |role| style(palette, ground, role);
                for own in [Role::Legacy, Role::New] {
                    let same: Vec<_> = ROLES.into_iter().filter(|role| of(*role).fg == of(own).fg).collect();
                    assert_eq!(same, [own], "{palette:?} {ground:?}");
                }
            }
        }
    }
}
