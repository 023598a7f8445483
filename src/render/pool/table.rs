//! The table for a terminal: each pool with a sparkline and its buckets, then when pools were
//! saturated, and how long before the failures.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::sparkline::{self, Column};
use crate::render::escape;
use crate::render::table::Style;
use crate::report::PoolReport;
use crate::series::{Gauge, GaugeSummary, Lead, Saturation, Series, SeriesBucket, summarize};
use crate::time::Timestamp;
use crate::timeline::{Grain, calendar};

/// Of more pools than this only the sparklines are shown.
const MAX_DETAILED: usize = 6;
/// A table has no more rows than this for each pool.
const MAX_ROWS: usize = 2_000;
/// Of more windows the longest are shown.
const MAX_WINDOWS: usize = 20;
/// The sparkline is no wider than this, and no narrower.
const SPARKLINE_COLUMNS: std::ops::RangeInclusive<usize> = 20..=72;

/// Writes everything.
pub fn render(report: &PoolReport, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = Vec::new();
    if report.series.is_empty() {
        writeln!(text, "No pool snapshot was found.")?;
        return out.write_all(&text);
    }
    let is_detailed = report.series.len() <= MAX_DETAILED;
    for series in &report.series {
        heading(report, series, style, &mut text)?;
        if is_detailed {
            buckets(report, series, &mut text)?;
        }
        writeln!(text)?;
    }
    if !is_detailed {
        let count = report.series.len();
        writeln!(text, "{count} pools: --pool NAME shows one by time, -o csv shows all.\n")?;
    }
    windows(report, &mut text)?;
    leads(report, &mut text)?;
    if report.unparsed > 0 {
        writeln!(
            text,
            "Messages that look like a snapshot and are unreadable: {}.",
            report.unparsed
        )?;
    }
    writeln!(text, "Time zone: {}.", report.zone.name())?;
    out.write_all(&text)
}

/// Who it is, and the sparkline.
fn heading(
    report: &PoolReport,
    series: &Series,
    style: Style,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let key = &series.key;
    let unit = key.unit.as_ref().or(key.identifier.as_ref());
    let of = unit.map(|unit| format!(" of {unit}")).unwrap_or_default();
    let on = key.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
    let name = format!("{}{of}{on}, {}", key.pool, key.format);
    writeln!(out, "{}", escape::terminal(&escape::one_line(&name)))?;
    if let Some((gauge, span)) = sparkline::shown_gauge(series).zip(series.span()) {
        let width = usize::from(style.width).saturating_sub(4);
        let width = width.clamp(*SPARKLINE_COLUMNS.start(), *SPARKLINE_COLUMNS.end());
        let columns = sparkline::columns(series, gauge, span, width);
        writeln!(out, "  {}", drawn(&columns, style).trim_end())?;
        writeln!(out, "  {}", extent(report, series, gauge))?;
    }
    Ok(())
}

fn drawn(columns: &[Column], style: Style) -> String {
    let mut text = String::new();
    let mut is_red = false;
    for &column in columns {
        let red = style.color && matches!(column, Column::Level(_, true));
        if red != is_red {
            text.push_str(if red { "\x1b[31m" } else { "\x1b[0m" });
            is_red = red;
        }
        text.push(column.symbol(style.unicode));
    }
    if is_red {
        text.push_str("\x1b[0m");
    }
    text
}

/// What the sparkline shows, in words: `in use 3–20 of 20; 2026-05-06 04:00:00 – 18:00:00, …`.
fn extent(report: &PoolReport, series: &Series, gauge: Gauge) -> String {
    let values = || series.points().iter().filter_map(|point| point.get(gauge));
    let (least, most) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
    let of = match series.points().iter().filter_map(|point| point.get(Gauge::Max)).max() {
        Some(max) if gauge == Gauge::InUse && max > 0 => format!(" of {max}"),
        _ => String::new(),
    };
    let span = series.span().map(|(first, last)| period(report, first, last)).unwrap_or_default();
    let count = match series.points().len() {
        1 => "1 snapshot".to_owned(),
        count => format!("{count} snapshots"),
    };
    let apart = series
        .usual_interval_us()
        .map(|micros| format!(", {} apart", duration(micros)))
        .unwrap_or_default();
    format!("{} {}{of}\n  {span}: {count}{apart}", words(gauge), range(least, most))
}

fn words(gauge: Gauge) -> &'static str {
    match gauge {
        Gauge::Max => "max",
        Gauge::Size => "size",
        Gauge::Idle => "idle",
        Gauge::InUse => "in use",
        Gauge::Waiting => "waiting",
        Gauge::Timeouts => "timeouts",
        Gauge::WaitUs => "wait µs",
    }
}

fn range(least: u64, most: u64) -> String {
    if least == most { least.to_string() } else { format!("{least}–{most}") }
}

/// One column of the buckets' table: its heading and its cells.
struct TableColumn {
    heading: &'static str,
    cell: fn(&SeriesBucket) -> Option<String>,
}

const COLUMNS: [TableColumn; 8] = [
    TableColumn { heading: "in use", cell: |bucket| span_of(bucket.get(Gauge::InUse)) },
    TableColumn {
        heading: "last",
        cell: |bucket| bucket.get(Gauge::InUse).map(|known| known.last.to_string()),
    },
    TableColumn { heading: "idle", cell: |bucket| span_of(bucket.get(Gauge::Idle)) },
    TableColumn { heading: "waiting", cell: |bucket| span_of(bucket.get(Gauge::Waiting)) },
    TableColumn { heading: "size", cell: |bucket| span_of(bucket.get(Gauge::Size)) },
    TableColumn { heading: "max", cell: |bucket| span_of(bucket.get(Gauge::Max)) },
    TableColumn {
        heading: "timeouts",
        cell: |bucket| bucket.new_timeouts.map(|count| count.to_string()),
    },
    TableColumn { heading: "wait µs", cell: |bucket| span_of(bucket.get(Gauge::WaitUs)) },
];

fn span_of(known: Option<GaugeSummary>) -> Option<String> {
    known.map(|known| range(known.min, known.max))
}

/// The buckets, with the columns of which anything is known. Between two that do not follow one
/// another a row says that there is no data.
fn buckets(report: &PoolReport, series: &Series, out: &mut Vec<u8>) -> io::Result<()> {
    let (grain, buckets) = summarize(series, report.by, report.zone);
    let shown = buckets.get(..MAX_ROWS).unwrap_or(&buckets);
    let columns: Vec<&TableColumn> = COLUMNS
        .iter()
        .filter(|column| shown.iter().any(|bucket| (column.cell)(bucket).is_some()))
        .collect();
    let (label_heading, pattern) = match grain {
        Grain::Day => ("Day", "%Y-%m-%d"),
        Grain::Hour => ("Hour", "%Y-%m-%d %H:%M"),
        Grain::Minute => ("Minute", "%Y-%m-%d %H:%M"),
    };
    let label = |at| calendar::in_zone(at, report.zone).format(pattern).to_string();
    let mut rows: Vec<Vec<String>> = vec![
        std::iter::once(label_heading)
            .chain(columns.iter().map(|c| c.heading))
            .map(str::to_owned)
            .collect(),
    ];
    let mut end = None;
    for bucket in shown {
        if end.is_some_and(|end| end != bucket.start) {
            rows.push(vec!["no data".to_owned()]);
        }
        let cells = columns.iter().map(|column| (column.cell)(bucket).unwrap_or_default());
        rows.push(std::iter::once(label(bucket.start)).chain(cells).collect());
        end = Some(bucket.end);
    }
    write_rows(&rows, out)?;
    if buckets.len() > shown.len() {
        let more = buckets.len() - shown.len();
        writeln!(out, "  {more} more rows: choose a coarser --by, or -o csv for all.")?;
    }
    Ok(())
}

fn write_rows(rows: &[Vec<String>], out: &mut Vec<u8>) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::from("  ");
        for (position, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            match position {
                0 => line.extend([cell.as_str(), &blanks]),
                _ => line.extend(["  ", &blanks, cell]),
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn windows(report: &PoolReport, out: &mut Vec<u8>) -> io::Result<()> {
    if report.saturations.is_empty() {
        return writeln!(out, "No snapshot shows a pool without a connection to give.\n");
    }
    writeln!(out, "Saturated: none idle and callers waiting, or as many in use as there may be")?;
    let mut shown: Vec<&Saturation> = report.saturations.iter().collect();
    shown.sort_by_key(|window| std::cmp::Reverse(window.end.micros() - window.start.micros()));
    shown.truncate(MAX_WINDOWS);
    shown.sort_by_key(|window| (window.start, window.series));
    let rows: Vec<Vec<String>> =
        shown.into_iter().map(|window| window_row(report, window)).collect();
    write_rows(&rows, out)?;
    let more = report.saturations.len() - rows.len();
    if more > 0 {
        writeln!(out, "  {more} more that were shorter: -o json has all.")?;
    }
    writeln!(out)
}

fn window_row(report: &PoolReport, window: &Saturation) -> Vec<String> {
    let length = window.end.micros() - window.start.micros();
    let waiting = match window.peak_waiting {
        Some(0) | None => String::new(),
        Some(count) => format!("up to {count} waiting"),
    };
    let length = match window.snapshots {
        1 => "1 snapshot".to_owned(),
        _ => duration(length),
    };
    vec![pool(report, window.series), period(report, window.start, window.end), length, waiting]
}

/// From one instant to another; the date once where it is the same.
fn period(report: &PoolReport, from: Timestamp, to: Timestamp) -> String {
    let time = calendar::in_zone(to, report.zone).format("%H:%M:%S");
    let to = match date(report, from) == date(report, to) {
        true => time.to_string(),
        false => format!("{} {time}", date(report, to)),
    };
    format!("{} – {to}", moment(report, from))
}

fn pool(report: &PoolReport, series: usize) -> String {
    let name = report.series.get(series).map_or("", |series| &series.key.pool);
    escape::terminal(&escape::one_line(name)).into_owned()
}

fn date(report: &PoolReport, at: Timestamp) -> String {
    calendar::in_zone(at, report.zone).format("%Y-%m-%d").to_string()
}

fn moment(report: &PoolReport, at: Timestamp) -> String {
    calendar::in_zone(at, report.zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn leads(report: &PoolReport, out: &mut Vec<u8>) -> io::Result<()> {
    let mut before = None;
    for lead in &report.leads {
        if before != Some(lead.first_timeout) {
            let first = moment(report, lead.first_timeout);
            writeln!(out, "Before the pool timeouts from {first} on")?;
            before = Some(lead.first_timeout);
        }
        writeln!(out, "  {}", lead_text(report, lead))?;
    }
    if before.is_some() { writeln!(out) } else { Ok(()) }
}

fn lead_text(report: &PoolReport, lead: &Lead) -> String {
    let mut text = format!(
        "{} was full {} before, at {}",
        pool(report, lead.series),
        duration(lead.lead_us()),
        calendar::in_zone(lead.full_since, report.zone).format("%H:%M:%S")
    );
    let Some(filling) = lead.filling else { return text };
    let took = duration(lead.full_since.micros() - filling.calm_until.micros());
    match (filling.calm_size, filling.full_size, lead.connections_per_minute()) {
        (Some(calm), Some(full), _) if full < calm => {
            text.push_str(&format!(
                ";\n    of {calm} open connections {full} were left, within {took}"
            ));
        }
        (_, _, Some(speed)) => {
            let (calm, full) = (filling.calm_in_use, filling.full_in_use);
            text.push_str(&format!(
                ";\n    from {calm} to {full} in use within {took} ({speed:.2} a minute)"
            ));
        }
        _ => {}
    }
    text
}

/// A length of time in one or two units.
fn duration(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    match seconds {
        0 => format!("{} ms", micros / 1000),
        1..120 => format!("{seconds} s"),
        120..7200 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
