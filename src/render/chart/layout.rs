//! The layout: which part of a figure goes where, and how much room each gets.
//!
//! From top to bottom: title, key, labels of incidents, tags of marks, the events, the pools, the
//! time axis, the legend. All but the panels take what they need; the panels share the rest. Where
//! there is little, the legend is shortened first, then pools are left out; each says so.

use std::cmp::Reverse;

use super::axis::Axis;
use super::canvas::Canvas;
use super::course::{Course, Fullness};
use super::events::{self, Layer};
use super::figure::Figure;
use super::frame::Frame;
use super::key::{self, KeyItem, Swatch};
use super::legend::{self, Columns};
use super::marks::{self, PlacedMark};
use super::pools::PoolPanel;
use super::scale::number;
use super::scene::{Anchor, Area, Scene};
use super::theme::{Size, Theme};
use super::{ChartError, font, windows};
use crate::timeline::Coverage;

/// No more pools are drawn: nobody could compare them.
const MAX_POOLS: usize = 8;

/// The panels of a figure, one below the other.
struct Panels {
    /// Where the first one's heading begins.
    top: i32,
    /// Where the last one ends.
    bottom: i32,
    events: Option<Area>,
    pools: Vec<Area>,
}

/// The marks, and where their texts go.
struct Marked<'a> {
    placed: Vec<PlacedMark<'a>>,
    lanes: usize,
    columns: Columns,
    plan: legend::Plan,
    left_out: usize,
}

/// Lays a figure out.
pub(super) fn scene(figure: &Figure<'_>, size: Size, theme: Theme) -> Result<Scene, ChartError> {
    let mut canvas = Canvas::new(&figure.title, size, theme)?;
    let margin = canvas.px(20.0);
    let frame = frame(&canvas, figure, margin);
    let axis = Axis::new(&canvas, &frame, figure);
    let windows = figure.incident_windows();
    let labels = windows::labels(&canvas, &frame, &windows, figure.zone);
    let (mut pools, pool_count) = pool_panels(figure, &frame);

    let marked = marked(&canvas, &frame, figure, margin, pools.len());
    let below = Axis::height(&canvas) + legend_height(&canvas, &marked) + margin;
    let panels_bottom = canvas.scene.height - below;

    let top = write_title(&mut canvas, figure, (margin, frame.right));
    let least = least_heights(&canvas, figure);
    let lane = marks::lane_height(&canvas);
    let label_line = if labels.is_empty() { 0 } else { canvas.style.line(canvas.style.small()) };
    let above_panels = label_line + marked.lanes as i32 * lane + canvas.px(4.0);
    let sides = (margin, frame.right);
    // Fewer pools may need a longer key, which says so.
    let items = |shown: usize| key_items(&canvas, figure, pools.get(..shown), pool_count);
    let room = |shown: usize| {
        let key = key::height(&canvas, &items(shown), sides);
        panels_bottom - top - key - above_panels - least.0 - least.1 * shown as i32
    };
    let shown = (0..=pools.len()).rev().find(|shown| room(*shown) >= 0).unwrap_or(0);
    let items = items(shown);
    // Which ones are drawn is a matter of how full they were; their order is not.
    pools.truncate(shown);
    pools.sort_by_key(|panel| panel.position);
    let key_bottom = top + key::height(&canvas, &items, sides);
    key::draw(&mut canvas, &items, sides, top);
    let panels_top = key_bottom + above_panels;
    let panels = divide(&canvas, figure, &frame, (panels_top, panels_bottom), pools.len());

    draw_background(&mut canvas, &frame, figure, &panels, &axis);
    windows::shade(&mut canvas, &frame, &windows, (key_bottom + label_line, panels.bottom));
    windows::write(&mut canvas, labels, key_bottom);
    draw_panels(&mut canvas, &frame, figure, &panels, &pools);
    let lanes_top = key_bottom + label_line;
    windows::draw_edges(&mut canvas, &frame, &windows, (lanes_top, panels.bottom));
    marks::draw(&mut canvas, &marked.placed, (lanes_top, panels.bottom));
    axis.draw(&mut canvas, &frame, figure, panels.bottom);
    let legend_top = canvas.scene.height - margin - legend_lines_height(&canvas, &marked);
    let place = (margin, legend_top, figure.zone);
    let plan = (marked.plan, marked.left_out);
    legend::draw(&mut canvas, &marked.columns, plan, &marked.placed, place);
    Ok(canvas.scene)
}

/// Where the panels are between left and right: beside the widest label of a value.
fn frame(canvas: &Canvas, figure: &Figure<'_>, margin: i32) -> Frame {
    let style = canvas.style.small();
    let highest = figure.events.as_ref().map(|events| events::scale(events, 5).top);
    let values = figure.pools.iter().flat_map(|pool| pool.points.iter()).flat_map(|point| {
        [point.max, point.size, point.in_use, point.waiting].into_iter().flatten()
    });
    let highest = values.chain(highest).max().unwrap_or(0);
    let label = canvas.width(&number(highest), style);
    let left = margin + label + canvas.px(6.0);
    Frame::new(&figure.time, left.max(canvas.px(50.0)), canvas.scene.width - canvas.px(24.0))
}

/// The pools that may be drawn, those that were full for longest first, and how many there are.
fn pool_panels(figure: &Figure<'_>, frame: &Frame) -> (Vec<PoolPanel>, usize) {
    let fullness = |pool: &super::figure::Pool<'_>| Fullness::of(pool.points, frame);
    let mut ranked: Vec<_> = figure.pools.iter().map(fullness).enumerate().collect();
    ranked.sort_by_key(|(_, fullness)| Reverse(*fullness));
    // Of thousands of pools, only these are kept by the pixel.
    let best = ranked.iter().take(MAX_POOLS).map(|(position, _)| *position);
    let panel = |position: usize| {
        let pool = figure.pools.get(position)?;
        let course = Course::new(pool.points, frame);
        Some(PoolPanel { position, name: pool.name.clone(), place: pool.place.clone(), course })
    };
    (best.filter_map(panel).collect(), figure.pools.len())
}

/// Chooses the marks for which there is room.
fn marked<'a>(
    canvas: &Canvas,
    frame: &Frame,
    figure: &'a Figure<'_>,
    margin: i32,
    pools: usize,
) -> Marked<'a> {
    let share = if pools > 4 { 0.17 } else { 0.25 };
    let max_height = (canvas.scene.height as f32 * share) as i32;
    let columns = Columns::new(canvas, frame.right - margin, max_height);
    let (candidates, count) = marks::candidates(figure);
    let mut chosen = marks::placeable(canvas, frame, candidates);
    let plan = legend::plan(canvas, &columns, &chosen, figure.zone, chosen.len() < count);
    chosen.truncate(plan.shown);
    let left_out = count - chosen.len();
    let (placed, lanes) = marks::place(canvas, frame, chosen);
    Marked { placed, lanes, columns, plan, left_out }
}

fn legend_lines_height(canvas: &Canvas, marked: &Marked<'_>) -> i32 {
    marked.plan.lines as i32 * legend::line_height(canvas)
}

fn legend_height(canvas: &Canvas, marked: &Marked<'_>) -> i32 {
    match legend_lines_height(canvas, marked) {
        0 => 0,
        lines => lines + canvas.px(10.0),
    }
}

/// Writes title and time; where they end.
fn write_title(canvas: &mut Canvas, figure: &Figure<'_>, (left, right): (i32, i32)) -> i32 {
    let mut top = canvas.px(14.0);
    let style = canvas.style.title();
    for line in canvas.wrap(&font::clean(&figure.title), style, right - left, 2) {
        canvas.write((Anchor::Left, left, top), style, line);
        top += canvas.style.line(style);
    }
    top + canvas.px(4.0)
}

/// The least height of the events' panel and of a pool's, with what lies between.
fn least_heights(canvas: &Canvas, figure: &Figure<'_>) -> (i32, i32) {
    let heading = canvas.style.line(canvas.style.heading());
    let events = if figure.events.is_some() { heading + canvas.px(74.0) } else { 0 };
    (events, heading + canvas.px(22.0) + panel_gap(canvas))
}

fn panel_gap(canvas: &Canvas) -> i32 {
    canvas.px(6.0)
}

/// Divides the room between the panels.
fn divide(
    canvas: &Canvas,
    figure: &Figure<'_>,
    frame: &Frame,
    (top, bottom): (i32, i32),
    pools: usize,
) -> Panels {
    let heading = canvas.style.line(canvas.style.heading()) + canvas.px(4.0);
    let gap = panel_gap(canvas);
    let room = bottom - top;
    let pools_room = match (pools, figure.events.is_some()) {
        (0, _) => 0,
        (_, false) => room,
        // One pool gets a third; the more there are, the more they get together.
        (count, true) => {
            let share = (0.28 + 0.08 * count as f32).min(0.68);
            let least = least_heights(canvas, figure);
            ((room as f32 * share) as i32).max(least.1 * count as i32).min(room - least.0)
        }
    };
    let events_bottom = bottom - pools_room;
    let events = figure
        .events
        .as_ref()
        .map(|_| Area::new(frame.left, top + heading, frame.right, events_bottom));
    let each = pools_room / pools.max(1) as i32;
    let first = bottom - each * pools as i32;
    let pool = |position: usize| {
        let top = first + each * position as i32;
        Area::new(frame.left, top + gap, frame.right, top + each)
    };
    Panels { top, bottom, events, pools: (0..pools).map(pool).collect() }
}

/// Draws what lies behind bars and lines: hatching, ticks.
fn draw_background(
    canvas: &mut Canvas,
    frame: &Frame,
    figure: &Figure<'_>,
    panels: &Panels,
    axis: &Axis,
) {
    let heading = canvas.style.line(canvas.style.heading());
    let below_heading = |area: &Area| Area { top: area.top + heading, ..*area };
    let areas: Vec<Area> =
        panels.events.into_iter().chain(panels.pools.iter().map(below_heading)).collect();
    for area in areas {
        axis.draw_grid(canvas, frame, area);
        let runs = figure.events.as_ref().map(|events| events::uncovered(events, frame));
        for (pixels, coverage) in runs.unwrap_or_default() {
            let hatch = match coverage {
                Coverage::None => canvas.style.no_data(),
                _ => canvas.style.partial(),
            };
            let own = Area { left: pixels.start, right: pixels.end, ..area };
            canvas.scene.hatch(own, hatch);
        }
    }
}

fn draw_panels(
    canvas: &mut Canvas,
    frame: &Frame,
    figure: &Figure<'_>,
    panels: &Panels,
    pools: &[PoolPanel],
) {
    if let (Some(events), Some(area)) = (&figure.events, panels.events) {
        let style = canvas.style.heading();
        let heading = format!("Events per {}", events.grain.name());
        canvas.write((Anchor::Left, frame.left, panels.top), style, heading);
        let steps = (area.height() / canvas.px(40.0)).clamp(1, 8) as u64;
        events::draw(canvas, frame, area, events, events::scale(events, steps));
    }
    for (pool, area) in pools.iter().zip(&panels.pools) {
        pool.draw(canvas, frame, *area);
    }
}

/// What the key explains: only what is there to be seen.
fn key_items(
    canvas: &Canvas,
    figure: &Figure<'_>,
    pools: Option<&[PoolPanel]>,
    pool_count: usize,
) -> Vec<KeyItem> {
    let (style, shown) = (&canvas.style, pools.map_or(0, <[PoolPanel]>::len));
    let mut items = Vec::new();
    let mut add = |swatch, text: String| items.push(KeyItem { swatch, text });
    if let Some(events) = &figure.events {
        for (position, layer) in Layer::of(events).iter().enumerate() {
            let counts = events.buckets.iter().map(|bucket| layer.count(bucket));
            let total = number(counts.fold(0, u64::saturating_add));
            add(Swatch::Class(style.class(position)), format!("{} ({total})", layer.name));
        }
        let has = |coverage| events.buckets.iter().any(|bucket| bucket.coverage == coverage);
        if has(Coverage::None) {
            add(Swatch::Hatching(style.no_data()), "no data".to_owned());
        }
        if has(Coverage::Partial) {
            add(Swatch::Hatching(style.partial()), "logged in part".to_owned());
        }
    }
    if !figure.incident_windows().is_empty() {
        add(Swatch::Window(style.incident, style.incident_edge), "incident".to_owned());
    }
    if shown > 0 {
        add(Swatch::Color(style.in_use), "connections in use".to_owned());
        add(Swatch::Color(style.idle), "idle".to_owned());
        add(Swatch::Dashes(style.ink), "the most that the pool may open".to_owned());
        add(Swatch::Color(style.waiting), "callers waiting (own scale)".to_owned());
    }
    let missing = match (shown, pool_count) {
        (shown, count) if shown == count => return items,
        (0, 1) => "no room for the pool".to_owned(),
        (0, count) => format!("no room for {count} pools"),
        (shown, count) => format!("{shown} of {count} pools: those full for longest"),
    };
    items.push(KeyItem { swatch: Swatch::Color(style.background), text: missing });
    items
}
