//! Charts: what is drawn where, in the pixels of PNG and in the elements of SVG; and that nothing
//! overlaps and nothing is cut, whatever is drawn.
#![allow(clippy::unwrap_used, clippy::panic)]

mod outage;

use std::process::Command;

use chrono_tz::Tz;
use ebbline::render::chart::{self, Figure, Mark, Pool, PoolPoint, Size, Theme};
use ebbline::report::Report;
use ebbline::time::{Span, Timestamp};
use ebbline::timeline::By;
use outage::{Log, at, outage_report, parse_notes};

const ZONE: Tz = Tz::America__Los_Angeles;
const MINUTE_US: i64 = 60_000_000;

/// The colours of the light theme that tests look for.
const POOL_TIMEOUTS: [u8; 3] = [0x00, 0x72, 0xb2];
const RESPONSES: [u8; 3] = [0xe6, 0x9f, 0x00];
const NO_DATA: [u8; 3] = [0x9a, 0xa2, 0xab];
const WAITING: [u8; 3] = [0xd5, 0x5e, 0x00];
const MARK: &str = "#3D444D";

/// A decoded picture.
struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn decode(file: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let samples = info.color_type.samples();
        let rgb = pixels.chunks_exact(samples).flat_map(|pixel| pixel[..3].to_vec()).collect();
        Self { width: info.width as usize, pixels: rgb }
    }

    fn of(figure: &Figure<'_>) -> Self {
        Self::decode(&chart::png(figure, Size::default(), Theme::Light).unwrap())
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[(y * self.width + x) * 3..][..3].try_into().unwrap()
    }

    fn height(&self) -> usize {
        self.pixels.len() / 3 / self.width
    }

    /// How many pixels of a column have the colour.
    fn in_column(&self, x: usize, color: [u8; 3]) -> usize {
        (0..self.height()).filter(|y| self.at(x, *y) == color).count()
    }
}

/// A text of an SVG file, and what it covers.
#[derive(Debug, Clone)]
struct Written {
    text: String,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Written {
    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// The texts of an SVG file: what covers from capitals to descenders.
fn texts(svg: &roxmltree::Document<'_>) -> Vec<Written> {
    let texts = svg.descendants().filter(|node| node.has_tag_name("text"));
    let written = |node: roxmltree::Node<'_, '_>| {
        let (x, y, size) = (number(node, "x"), number(node, "y"), number(node, "font-size"));
        Written {
            text: node.text().unwrap().to_owned(),
            left: x,
            top: y - 0.74 * size,
            right: x + number(node, "textLength"),
            bottom: y + 0.22 * size,
        }
    };
    texts.map(written).collect()
}

/// Rectangles of a colour: left, top, width, height.
fn rectangles(svg: &roxmltree::Document<'_>, color: &str) -> Vec<[f64; 4]> {
    svg.descendants()
        .filter(|node| node.has_tag_name("rect") && node.attribute("fill") == Some(color))
        .map(|node| ["x", "y", "width", "height"].map(|name| number(node, name)))
        .collect()
}

/// Everything that must hold of any figure.
fn check(what: &str, file: &str, size: Size) -> Vec<Written> {
    let svg = roxmltree::Document::parse(file).unwrap_or_else(|e| panic!("{what}: {e}"));
    let (width, height) = (f64::from(size.width()), f64::from(size.height()));
    let texts = texts(&svg);
    assert!(texts.len() >= 4, "{what}: {texts:?}");
    for text in &texts {
        let inside =
            text.left >= 0.0 && text.top >= 0.0 && text.right <= width && text.bottom <= height;
        assert!(inside, "{what}: cut off: {text:?}");
    }
    for (position, text) in texts.iter().enumerate() {
        for other in &texts[position + 1..] {
            assert!(!text.overlaps(other), "{what}: {text:?} and {other:?} overlap");
        }
    }
    for node in svg.descendants().filter(|node| node.has_tag_name("rect")) {
        let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| number(node, name));
        let inside = x >= 0.0 && y >= 0.0 && x + w <= width && y + h <= height;
        assert!(inside && w > 0.0 && h > 0.0, "{what}: {node:?}");
    }
    texts
}

/// A log of so many days: a trickle of entries, quiet but for two bad days, and a gap.
fn log_of(days: i64) -> Log {
    let start = at("2026-02-06T00:00:00-08:00").micros();
    let mut log = Log::default();
    let hours = days * 24;
    for hour in 0..hours {
        if (hours / 3..hours / 3 + hours / 10).contains(&hour) {
            continue;
        }
        let is_bad = hour * 10 / hours == 7;
        let at = Timestamp::from_micros(start + hour * 60 * MINUTE_US).unwrap();
        let end = Timestamp::from_micros(at.micros() + 60 * MINUTE_US - 1).unwrap();
        log.add(at, 50, if is_bad { 40 + hour as u64 % 30 } else { 0 }, u64::from(hour % 9 == 0));
        log.add(end, 1, 0, 0);
    }
    log
}

fn report_of(days: i64, by: By, notes: &str) -> Report {
    let log = log_of(days);
    let timeline = log.timeline(by, ZONE, Span::default(), parse_notes(notes, ZONE));
    Report { timeline, ..outage_report() }
}

/// A snapshot a minute over the whole time, and every so often all connections in use.
fn points(from: Timestamp, minutes: i64, period: i64) -> Vec<PoolPoint> {
    let point = |minute: i64| {
        let phase = minute % period;
        let in_use = if phase * 3 > period * 2 { 20 } else { (phase * 20 / period) as u64 };
        let at = Timestamp::from_micros(from.micros() + minute * MINUTE_US).unwrap();
        let waiting = if in_use == 20 { phase as u64 % 60 } else { 0 };
        PoolPoint {
            at,
            max: Some(20),
            size: Some(in_use.max(10)),
            in_use: Some(in_use),
            waiting: Some(waiting),
        }
    };
    (0..minutes).map(point).collect()
}

fn pools(all: &[Vec<PoolPoint>]) -> Vec<Pool<'_>> {
    let mut pools = Vec::new();
    for (position, points) in all.iter().enumerate() {
        let name = format!("pool_{position}");
        pools.push(Pool { name, place: "atlas, scidex-api.service".to_owned(), points });
    }
    pools
}

const LONG: &str = "the primary refused every new connection after the replica's unit had been \
    added, and nobody noticed for three hours because the dashboard shows the average of all pools";

/// Notes on many days, some of them one upon the other.
fn long_notes(days: i64) -> String {
    let note = |number: i64| {
        let minute = number * days * 24 * 60 / 12;
        let start = at("2026-02-06T00:00:00-08:00").micros() + minute * MINUTE_US;
        let start = Timestamp::from_micros(start).unwrap().to_utc().to_rfc3339();
        format!("[[note]]\nat = {start}\ntext = \"{number}: {LONG}; {LONG}\"\n")
    };
    (0..12).map(note).collect()
}

const SPANS: [(i64, By); 3] = [(1, By::Hour), (17, By::Day), (90, By::Day)];

#[test]
fn nothing_overlaps_and_nothing_is_cut() {
    for (days, by) in SPANS {
        for notes in [String::new(), long_notes(days)] {
            let report = report_of(days, by, &notes);
            for count in [0, 1, 8, 50] {
                let start = report.timeline.buckets[0].start;
                let points: Vec<_> =
                    (0..count).map(|pool| points(start, days * 1440, 500 + 40 * pool)).collect();
                let mut figure = Figure::of(&report, None).unwrap();
                figure.pools = pools(&points);
                let hours = days * 24 * 60 * MINUTE_US / 24;
                figure.incidents = (0..3)
                    .map(|n| {
                        let from = start.micros() + (4 + 7 * n) * hours;
                        let to = from + (1 + n) * hours;
                        Timestamp::from_micros(from).unwrap()..Timestamp::from_micros(to).unwrap()
                    })
                    .collect();
                for (width, height) in [(480, 320), (1200, 800), (2400, 1200), (900, 2000)] {
                    let size = Size::new(width, height).unwrap();
                    let what = format!(
                        "{days} days, {count} pools, {width}×{height}, {} notes",
                        report.timeline.notes.len()
                    );
                    let file = chart::svg(&figure, size, Theme::Light).unwrap();
                    let texts = check(&what, &file, size);
                    let has = |text: &str| texts.iter().any(|own| own.text.contains(text));
                    assert!(has("America/Los_Angeles"), "{what}");
                    assert!(width < 1000 || count == 0 || has("pool_"), "{what}");
                    assert!(count < 50 || width < 1000 || has(" of 50 pools"), "{what}");
                }
            }
        }
    }
}

#[test]
fn bars_are_as_high_as_their_counts() {
    let report = outage_report();
    let picture = Picture::of(&Figure::of(&report, None).unwrap());
    // The days are equally wide: their middles follow from the two highest bars.
    let is_bar = |x: &usize| picture.in_column(*x, POOL_TIMEOUTS) > 100;
    let columns: Vec<usize> = (60..picture.width).filter(is_bar).collect();
    let (first, last) = (columns[5], columns[columns.len() - 5]);
    let heights = |color| [first, last].map(|x| picture.in_column(x, color) as f64);
    let [april, may] = heights(POOL_TIMEOUTS);
    let pixels_per_event = april / 2459.0;
    assert!(april > 300.0, "{april}");
    assert!((may - 1120.0 * pixels_per_event).abs() <= 1.0, "{may}");
    let [april, may] = heights(RESPONSES);
    // A line of background lies between the layers.
    assert!((april + 1.0 - 565.0 * pixels_per_event).abs() <= 1.0, "{april}");
    assert!((may + 1.0 - 1119.0 * pixels_per_event).abs() <= 1.0, "{may}");
}

#[test]
fn one_event_is_seen_beside_thousands() {
    let mut log = Log::default();
    log.add(at("2026-05-01T10:00:00Z"), 9, 1, 0);
    log.add(at("2026-05-03T10:00:00Z"), 9000, 8000, 0);
    let timeline = log.timeline(By::Day, Tz::UTC, Span::default(), Vec::new());
    let report = Report { timeline, ..outage_report() };
    let picture = Picture::of(&Figure::of(&report, None).unwrap());
    let third = picture.width / 3;
    let in_first = (third / 2..third).filter(|x| picture.in_column(*x, POOL_TIMEOUTS) == 1);
    assert!(in_first.count() > 50);
}

#[test]
fn time_without_any_entry_is_hatched_and_has_no_bar() {
    let mut log = Log::default();
    log.add(at("2026-05-01T00:00:00Z"), 9, 5, 0);
    log.add(at("2026-05-01T23:59:59.999999Z"), 9, 0, 0);
    log.add(at("2026-05-03T00:00:00Z"), 9, 0, 0);
    log.add(at("2026-05-03T23:59:59.999999Z"), 9, 5, 0);
    let timeline = log.timeline(By::Day, Tz::UTC, Span::default(), Vec::new());
    let report = Report { timeline, ..outage_report() };
    let picture = Picture::of(&Figure::of(&report, None).unwrap());
    let (left, right) = (60, picture.width - 24);
    let day = (right - left) / 3;
    let hatched = |from: usize| {
        (from + 20..from + day - 20).filter(|x| picture.in_column(*x, NO_DATA) > 5).count()
    };
    assert_eq!([hatched(left), hatched(left + 2 * day)], [0, 0]);
    assert!(hatched(left + day) > (day - 40) / 4, "{}", hatched(left + day));
    let bars = |from: usize| {
        (from..from + day - 10).filter(|x| picture.in_column(*x, POOL_TIMEOUTS) > 20).count()
    };
    assert!(bars(left) > day / 2 && bars(left + 2 * day) > day / 2);
    assert_eq!(bars(left + day + 5), 0);
}

#[test]
fn a_spike_of_one_snapshot_in_a_million_is_drawn() {
    let report = report_of(90, By::Day, "");
    let time = report.timeline.buckets[0].start;
    let mut points = points(time, 1_000_000, 10);
    let step = 90 * 1440 * MINUTE_US / 1_000_000;
    for (position, point) in points.iter_mut().enumerate() {
        let micros = time.micros() + position as i64 * step;
        *point = PoolPoint {
            at: Timestamp::from_micros(micros).unwrap(),
            in_use: Some(3),
            waiting: Some(0),
            ..*point
        };
    }
    points[500_000].waiting = Some(90);
    let mut figure = Figure::of(&report, None).unwrap();
    let all = [points];
    figure.pools = pools(&all);
    let picture = Picture::of(&figure);
    let columns: Vec<usize> =
        (60..picture.width - 24).filter(|x| picture.in_column(*x, WAITING) > 20).collect();
    assert_eq!(columns.len(), 1, "{columns:?}");
    let middle = (60 + picture.width - 24) / 2;
    assert!(columns[0].abs_diff(middle) < 10, "{columns:?}");
}

#[test]
fn marks_are_numbered_in_the_order_of_time_and_explained_below() {
    let report = outage_report();
    let file =
        chart::svg(&Figure::of(&report, None).unwrap(), Size::default(), Theme::Light).unwrap();
    let svg = roxmltree::Document::parse(&file).unwrap();
    let texts = check("the outage", &file, Size::default());
    let tags = rectangles(&svg, MARK);
    let tagged = |number: usize| -> Vec<&Written> {
        let is_in_tag = |text: &&Written| {
            text.text == number.to_string()
                && tags.iter().any(|[x, y, w, h]| {
                    *x <= text.left && text.right <= x + w && *y <= text.top && text.bottom <= y + h
                })
        };
        texts.iter().filter(is_in_tag).collect()
    };
    let mut last = 0.0;
    for number in 1..=7 {
        let [above, below] = tagged(number)[..] else { panic!("{number}: {:?}", tagged(number)) };
        assert!(above.bottom < 150.0 && below.top > 650.0, "{above:?} {below:?}");
        assert!(above.left > last);
        last = above.left;
    }
    assert!(tagged(8).is_empty());
    let has = |text: &str| texts.iter().any(|own| own.text.starts_with(text));
    assert!(has("Apr 22–24: quiet, replica online"), "{texts:?}");
    assert!(has("May 6 04:49–17:14: full outage (~13h, 04:49–17:14 PDT)"), "{texts:?}");
}

#[test]
fn of_too_many_marks_the_important_ones_are_kept_and_the_rest_is_counted() {
    let report = report_of(17, By::Day, "");
    let mut figure = Figure::of(&report, None).unwrap();
    let start = figure.time.start.micros();
    let mark = |position: i64| {
        let at = Timestamp::from_micros(start + position * 40 * MINUTE_US).unwrap();
        let rank = if position % 50 == 0 { 0 } else { 1 };
        Mark { start: at, end: at, text: format!("{LONG} {rank}"), rank }
    };
    figure.marks = (0..600).map(mark).collect();
    let file = chart::svg(&figure, Size::default(), Theme::Light).unwrap();
    let texts = check("600 marks", &file, Size::default());
    let of_rank = |prefix: &str| texts.iter().filter(|text| text.text.contains(prefix)).count();
    let shown = of_rank(": the primary");
    assert!((12..60).contains(&shown), "{shown}");
    let more = format!("and {} more", 600 - shown);
    assert!(texts.iter().any(|text| text.text.starts_with(&more)), "{more}");
}

#[test]
fn text_of_strangers_is_text() {
    let report = report_of(
        1,
        By::Hour,
        "[[note]]\nday = 2026-02-06\ntext = '''</text><script>alert(1)</script> ]]> &amp; \"x\"'''\n",
    );
    let title = "<b>\u{1b}[31m\u{202e}&lt;\u{0}\u{fffe} A title that never ends ".repeat(40);
    let mut figure = Figure::of(&report, Some(&title)).unwrap();
    let start = figure.time.start;
    let points = points(start, 100, 10);
    figure.pools = vec![Pool {
        name: "\"><image href=x>\r\n".repeat(30),
        place: "\u{9b}2J".repeat(100),
        points: &points,
    }];
    let file = chart::svg(&figure, Size::default(), Theme::Dark).unwrap();
    let texts = check("hostile", &file, Size::default());
    assert!(!file.contains(|character: char| character.is_control() && character != '\n'));
    let svg = roxmltree::Document::parse(&file).unwrap();
    for node in svg.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let known =
            ["svg", "title", "defs", "path", "rect", "polyline", "polygon", "g", "use", "text"];
        assert!(known.contains(&name), "{name}");
    }
    let has = |text: &str| texts.iter().any(|own| own.text.contains(text));
    assert!(has("</text><script>alert(1)</script> ]]> &amp; \"x\""), "{texts:?}");
    assert!(has("<b>\\x1b[31m\\u{202e}&lt;\\x00\u{fffd} A title"), "{texts:?}");
    assert!(has("\"><image href=x> \"><image"), "{texts:?}");
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    let report = outage_report();
    let figure = Figure::of(&report, None).unwrap();
    let png = || chart::png(&figure, Size::default(), Theme::Dark).unwrap();
    assert_eq!(png(), png());
    let svg = || chart::svg(&figure, Size::default(), Theme::Dark).unwrap();
    assert_eq!(svg(), svg());
}

/// librsvg draws the SVG on a machine without any font; the PNG must look the same.
#[test]
fn svg_without_fonts_looks_like_the_png() {
    let report = outage_report();
    let mut figure = Figure::of(&report, None).unwrap();
    let start = figure.time.start;
    let points = [points(start, 18 * 1440, 700)];
    figure.pools = pools(&points);
    figure.incidents = vec![at("2026-05-06T04:49:07-07:00")..at("2026-05-06T17:14:31-07:00")];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chart.svg");
    for theme in [Theme::Light, Theme::Dark] {
        std::fs::write(&path, chart::svg(&figure, Size::default(), theme).unwrap()).unwrap();
        let drawn = Command::new("rsvg-convert")
            .arg(&path)
            .env("FONTCONFIG_FILE", "/dev/null")
            .output()
            .unwrap_or_else(|error| panic!("rsvg-convert: {error}; `make test` installs it"));
        assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
        let vectors = Picture::decode(&drawn.stdout);
        let pixels = Picture::decode(&chart::png(&figure, Size::default(), theme).unwrap());
        assert_eq!(vectors.pixels.len(), pixels.pixels.len());
        let differs = |(a, b): &(&u8, &u8)| a.abs_diff(**b) > 64;
        let count = vectors.pixels.iter().zip(&pixels.pixels).filter(differs).count();
        assert!(count * 500 < pixels.pixels.len(), "{theme:?}: {count}");
    }
}
