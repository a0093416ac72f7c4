//! What lies over the view: questions, a conflict, a notice, the keys.
//!
//! Pure. A dialog's last line, which says what a key does, is drawn whatever else has no room. Of a question that has no
//! room in full its short form is drawn; where even that has none, the last line says that it takes no answer here, and
//! [`draw`] tells the caller that the question was not shown.

mod ask;
mod configure;
mod conflict;
mod evacuate;
mod help;
mod shift;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::confirm::{Challenge, Confirmation};
use crate::domain::model::{Dialog, Listing};
use crate::domain::traffic::RecordGroup;
use crate::domain::units::WeightPair;

use super::context::ViewContext;
use super::list;
use super::text::{Row, draw_lines, wrap};
use super::theme::{Mark, Role};

/// Cells of a dialog's text at most, so that sentences stay readable on wide screens.
const WIDEST: u16 = 92;

/// A dialog as it is drawn.
struct DialogBody {
    title: String,
    body: Vec<Line<'static>>,
    /// The same in fewer lines, the longest first, each with all that the answer depends on; for small screens.
    shorter: Vec<Vec<Line<'static>>>,
    /// Lines at the bottom that are never left out.
    foot: Vec<Line<'static>>,
    /// Whether it is answered, and so has to be seen as a whole.
    asks: bool,
}

impl DialogBody {
    /// Something to read.
    fn reading(title: String, body: Vec<Line<'static>>, foot: Vec<Line<'static>>) -> Self {
        Self { title, body, shorter: Vec::new(), foot, asks: false }
    }

    /// Something to answer, or to type into.
    fn asking(title: String, body: Vec<Line<'static>>, foot: Vec<Line<'static>>) -> Self {
        Self { title, body, shorter: Vec::new(), foot, asks: true }
    }
}

/// Cells of a record's type.
const TYPE: usize = 6;

/// Cells for the set identifiers of a group: whole wherever there is room, since the two often begin alike.
fn id_cells(cx: &ViewContext<'_>, group: &RecordGroup) -> usize {
    let longest = group.records().filter_map(|r| r.set_identifier.as_deref()).map(|id| cx.cells(id)).max();
    longest.unwrap_or(0).clamp(12, 26)
}

/// Draws the dialog in the middle of the screen. Tells whether every line of it was drawn whole, as far as it asks; and
/// how it came out as a list, as far as it only wants to be read.
pub(super) fn draw(buf: &mut Buffer, screen: Rect, dialog: &Dialog, cx: &ViewContext<'_>) -> (bool, Option<Listing>) {
    let width = usize::from((screen.width - 2).min(WIDEST) - 4);
    let sheet = match dialog {
        Dialog::Shift(question) if question.subject().evacuation.is_some() => evacuate::sheet(cx, question, width),
        Dialog::Shift(question) => shift::sheet(cx, question, width),
        Dialog::Accept(question) => accept(cx, question, width),
        Dialog::Ask(question) => ask::sheet(cx, question, width),
        Dialog::Configure(dialog) => configure::sheet(cx, dialog, width, usize::from(screen.height.saturating_sub(4))),
        Dialog::Prompt { typed, error } => prompt(cx, typed, error.as_deref(), width),
        Dialog::Reason { typed, error, .. } => evacuate::reason(cx, typed, error.as_deref(), width),
        Dialog::Conflict { expected, found, wanted, message } => {
            conflict::sheet(cx, expected, found, *wanted, message, width)
        }
        Dialog::Notice { title, lines } => notice(cx, title, lines, width),
        Dialog::Help => help::sheet(cx, width),
    };
    let rows = usize::from(screen.height.saturating_sub(2));
    let (sheet, whole, listing) = if sheet.asks {
        let (sheet, whole) = fitted(cx, sheet, width, rows);
        (sheet, whole, None)
    } else {
        let (sheet, listing) = from_where_it_is_read(cx, sheet, rows);
        (sheet, true, Some(listing))
    };
    paint(buf, screen, &sheet, cx, width);
    (whole, listing)
}

/// The part of something long that is being read, with what is above and below it.
fn from_where_it_is_read(cx: &ViewContext<'_>, mut sheet: DialogBody, rows: usize) -> (DialogBody, Listing) {
    let room = rows.saturating_sub(sheet.foot.len());
    let count = sheet.body.len();
    if count <= room || room < 2 {
        return (sheet, Listing::of(count, room as u16));
    }
    let page = room - 1;
    let from = cx.model.screen.reading_from.min(count - page);
    sheet.body = sheet.body.drain(from..from + page).collect();
    sheet.body.push(list::marks(cx, from, count - from - page).line());
    (sheet, Listing::of(count, page as u16))
}

/// The sheet as it is drawn into `rows` lines, and whether that is the whole of what it asks.
fn fitted(cx: &ViewContext<'_>, mut sheet: DialogBody, width: usize, rows: usize) -> (DialogBody, bool) {
    // A title that the frame would cut is said inside.
    if cx.cells(&sheet.title) > width.saturating_sub(2) {
        let lines: Vec<_> = wrap(cx.theme, &sheet.title, width);
        let lines = || lines.iter().map(|line| cx.row().put(Role::Strong, line).line());
        sheet.body.splice(0..0, lines());
        for body in &mut sheet.shorter {
            body.splice(0..0, lines());
        }
    }
    let is_narrow = |lines: &[Line<'_>]| lines.iter().all(|line| line.width() <= width);
    let foot = sheet.foot.len();
    let fits = |body: &[Line<'_>]| body.len() + foot <= rows && is_narrow(body);
    if is_narrow(&sheet.foot) {
        if fits(&sheet.body) {
            return (sheet, true);
        }
        if let Some(index) = sheet.shorter.iter().position(|body| fits(body)) {
            sheet.body = sheet.shorter.swap_remove(index);
            return (sheet, true);
        }
    }
    let text = "this window is too small for the whole question, so it takes no answer: make the window larger";
    let said = wrap(cx.theme, text, width.saturating_sub(2));
    sheet.foot = vec![Line::default()];
    sheet.foot.extend(said.into_iter().map(|line| cx.row().mark(Mark::Fail).put(Role::Fail, line).line()));
    sheet.foot.push(cx.row().put(Role::Key, "Esc").put(Role::Dim, " leaves it").line());
    (sheet, false)
}

fn paint(buf: &mut Buffer, screen: Rect, sheet: &DialogBody, cx: &ViewContext<'_>, width: usize) {
    let inside = usize::from(screen.height.saturating_sub(2));
    let body_rows = sheet.body.len().min(inside.saturating_sub(sheet.foot.len()));
    let height = ((body_rows + sheet.foot.len()).min(inside) + 2) as u16;
    let frame_width = width as u16 + 4;
    let area = Rect {
        x: screen.x + (screen.width - frame_width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width: frame_width,
        height,
    };
    let glyphs = cx.theme.glyphs();
    let [upper_left, upper_right, lower_left, lower_right] = glyphs.corners;
    let across = usize::from(frame_width) - 2;
    let top = cx.row().put(Role::Strong, upper_left).put(Role::Strong, glyphs.rule).gap(1);
    let room = top.room(across).saturating_sub(1);
    let top = top.clipped(Role::Strong, &sheet.title, room).gap(1);
    let rest = top.room(across + 1);
    let mut lines = vec![top.repeat(Role::Strong, glyphs.rule, rest).put(Role::Strong, upper_right).line()];
    for line in sheet.body[..body_rows].iter().chain(&sheet.foot).take(inside) {
        let used = line.width().min(width);
        let mut spans = cx.row().put(Role::Strong, glyphs.upright).gap(1).line().spans;
        spans.extend(line.spans.iter().cloned());
        spans.extend(cx.row().gap(width - used + 1).put(Role::Strong, glyphs.upright).line().spans);
        lines.push(Line::from(spans));
    }
    lines.push(
        cx.row()
            .put(Role::Strong, lower_left)
            .repeat(Role::Strong, glyphs.rule, across)
            .put(Role::Strong, lower_right)
            .line(),
    );
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    draw_lines(buf, area, &lines);
}

/// A paragraph under a name in the left margin.
fn named(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, name: &str, role: Role, text: &str, width: usize) {
    const MARGIN: usize = 10;
    for (index, line) in wrap(cx.theme, text, width.saturating_sub(MARGIN)).into_iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        out.push(cx.row().cell(Role::Dim, name, MARGIN).put(role, line).line());
    }
}

/// What a question takes for an answer, whether it takes one yet, and when it closes by itself.
fn question_foot<T>(cx: &ViewContext<'_>, question: &Confirmation<T>, verb: &str, width: usize) -> Vec<Line<'static>> {
    let uptime = cx.model.uptime;
    let closes = format!("closes in {} s", whole_seconds(question.left(uptime)));
    let armed = question.is_armed(uptime);
    let mut lines = vec![Line::default()];
    let row = match question.challenge() {
        _ if !armed => cx.row().mark(Mark::Waiting).put(Role::Waiting, "arming: keys typed now are thrown away"),
        Challenge::Yes => cx
            .row()
            .put(Role::GoBadge, " y ")
            .put(Role::Strong, format!(" {verb}"))
            .put(Role::Dim, "   any other key: leave it"),
        Challenge::Typed(text) => {
            typing(cx, text.trim_end_matches('.'), question.typed(), width, &mut lines);
            cx.row()
                .put(Role::GoBadge, " Enter ")
                .put(Role::Strong, format!(" {verb}"))
                .put(Role::Dim, "   Esc leaves it")
        }
    };
    lines.push(row.ending(Role::Dim, closes, width).line());
    lines
}

/// What has to be typed, and the end of what was: on one line where there is room for both.
fn typing(cx: &ViewContext<'_>, name: &str, typed: &str, width: usize, lines: &mut Vec<Line<'static>>) {
    let cursor = cx.theme.glyphs().cursor;
    let mut row = cx.row().put(Role::Text, "type ").put(Role::Strong, name).put(Role::Text, ": ");
    if row.width() + cx.cells(name) + 1 > width {
        lines.extend(
            wrap(cx.theme, &format!("type {name}:"), width).into_iter().map(|l| cx.row().put(Role::Strong, l).line()),
        );
        row = cx.row().gap(2);
    }
    let room = row.room(width).saturating_sub(cx.cells(cursor) + 1);
    let count = typed.chars().count();
    let mut end: String = typed.to_owned();
    let mut skip = 0;
    while cx.cells(&end) > room && skip < count {
        skip += 1;
        end = typed.chars().skip(skip).collect();
    }
    lines.push(row.put(Role::Strong, end).put(Role::Strong, cursor).line());
}

/// Seconds, rounded up: a countdown shows 1 until it is over.
fn whole_seconds(left: Duration) -> u128 {
    left.as_millis().div_ceil(1000)
}

/// A line at the bottom of a dialog that only wants to be read. Other keys leave it open, so that one that was meant
/// for the view cannot hide it unread.
fn any_key<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    cx.row().put(Role::Key, "Esc").put(Role::Dim, " or ").put(Role::Key, "Enter").put(Role::Dim, " closes this")
}

/// Weights that somebody else set are to become the new base.
fn accept(cx: &ViewContext<'_>, question: &Confirmation<WeightPair>, width: usize) -> DialogBody {
    let found = *question.subject();
    let confirmed = cx.world.history.as_ref().and_then(|h| h.confirmed);
    let mut body = Vec::new();
    let before = confirmed.map_or_else(|| "none from this host".to_owned(), |w| format!("legacy/new {w}"));
    named(cx, &mut body, "was", Role::Text, &format!("{before}, as last confirmed here"), width);
    named(cx, &mut body, "found", Role::Strong, &format!("legacy/new {found}, set by somebody else"), width);
    let before_does = body.len();
    named(
        cx,
        &mut body,
        "does",
        Role::Text,
        "Nothing is sent to Route 53. The journal takes these weights as the new base, and the gate drift passes again.",
        width,
    );
    let shorter = vec![body.clone()];
    body.insert(before_does, Line::default());
    body.insert(0, Line::default());
    named(
        cx,
        &mut body,
        "first",
        Role::Text,
        "Find out who moved them and whether they are still at it: two people at one record undo each other.",
        width,
    );
    let foot = question_foot(cx, question, "take them", width);
    DialogBody { shorter, ..DialogBody::asking(format!("Take {found} as the new base"), body, foot) }
}

/// A share is being typed.
fn prompt(cx: &ViewContext<'_>, typed: &str, error: Option<&str>, width: usize) -> DialogBody {
    let now = cx.world.facts.shiftable().map(RecordGroup::new_share);
    let now = now.map_or_else(|| "not known".to_owned(), |share| share.to_string());
    let mut body = vec![
        Line::default(),
        cx.row()
            .put(Role::Text, "new stack, percent 0 to 100: ")
            .put(Role::Strong, typed)
            .put(Role::Strong, cx.theme.glyphs().cursor)
            .put(Role::Dim, format!("   now {now}"))
            .line(),
    ];
    if let Some(error) = error {
        for line in wrap(cx.theme, error, width.saturating_sub(2)) {
            body.push(cx.row().mark(Mark::Fail).put(Role::Fail, line).line());
        }
    }
    let foot = vec![
        Line::default(),
        cx.row()
            .put(Role::Key, "Enter")
            .put(Role::Dim, " shows what would be sent and asks   ")
            .put(Role::Key, "Esc")
            .put(Role::Dim, " leaves it")
            .line(),
    ];
    DialogBody::asking("Share of the new stack".to_owned(), body, foot)
}

/// Something to read.
fn notice(cx: &ViewContext<'_>, title: &str, lines: &[String], width: usize) -> DialogBody {
    let mut body = vec![Line::default()];
    for text in lines {
        let wrapped = wrap(cx.theme, text, width);
        if wrapped.is_empty() {
            body.push(Line::default());
        }
        body.extend(wrapped.into_iter().map(|line| cx.row().put(Role::Text, line).line()));
    }
    DialogBody::reading(title.to_owned(), body, vec![Line::default(), any_key(cx).line()])
}
