//! Frames.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::fixtures::*;
use super::{Palette, Theme, draw, svg};
use crate::domain::model::Model;
use crate::keymap::View;

fn frame(model: &Model, theme: &Theme, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|f| {
            draw(f, model, theme);
        })
        .unwrap();
    terminal.backend().buffer().clone()
}

#[test]
fn look() {
    let Ok(dir) = std::env::var("LOOK") else { return };
    let theme = Theme::new(Palette::Full, false);
    let sizes = [(120, 36), (80, 24), (200, 50), (100, 30)];
    let models: Vec<(&str, Model)> = vec![
        ("ready", ready()),
        ("baking", baking()),
        ("fresh", fresh_start()),
        ("pending", pending()),
        ("lag", lag_spike()),
        ("stale", stale_metrics()),
        ("throttled", throttled()),
        ("badges", all_badges()),
        ("traffic", on(View::Traffic, baking())),
        ("replication", on(View::Replication, ready())),
        ("service", on(View::Service, ready())),
        ("provision", on(View::Provision, ready())),
        ("journal", on(View::Journal, ready())),
        ("ask", asking_armed()),
        ("conflict", conflict()),
    ];
    for (name, model) in &models {
        for (w, h) in sizes {
            std::fs::write(format!("{dir}/{name}-{w}.svg"), svg::document(&frame(model, &theme, w, h), name)).unwrap();
        }
    }
    for (tag, t) in [
        ("mono", Theme::new(Palette::Mono, false)),
        ("ascii", Theme::new(Palette::Full, true)),
        ("16", Theme::new(Palette::Sixteen, false)),
    ] {
        std::fs::write(format!("{dir}/baking-{tag}.svg"), svg::document(&frame(&lag_spike(), &t, 120, 36), "x"))
            .unwrap();
    }
}
