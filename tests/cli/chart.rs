//! `--chart`: files, formats, sizes, and what is refused before anything is read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::Folder;

const LOG: &str = "2026-05-06T04:49:07Z INFO 127.0.0.1 \"GET / HTTP/1.1\" 503 Service Unavailable\n\
                   2026-05-06T09:49:07Z INFO nothing\n";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("app.log", LOG);
    folder
}

fn sample() -> String {
    format!("{}/sample-logs/outage-2026-05", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn each_chart_is_written_in_the_format_that_its_name_says() {
    let folder = folder();
    folder.write("a.png", "old");
    let words = ["timeline", "app.log", "--by", "hour", "--chart", "a.png", "--chart", "B.SVG"];
    let run = folder.run(&[&words[..], &["--size", "640x400", "--title", "A & B"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stderr, "");
    assert!(run.stdout.contains("May 6 04:00"), "{}", run.stdout);
    let png = std::fs::read(folder.path().join("a.png")).unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (640, 400));
    let svg = std::fs::read_to_string(folder.path().join("B.SVG")).unwrap();
    let svg = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(svg.root_element().attribute("viewBox"), Some("0 0 640 400"));
    let title = svg.descendants().find(|node| node.has_tag_name("title")).unwrap();
    assert_eq!(title.text(), Some("A & B"));
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["B.SVG", "a.png", "app.log"]);
    let log = std::fs::metadata(folder.path().join("app.log")).unwrap().permissions().mode();
    let chart = std::fs::metadata(folder.path().join("a.png")).unwrap().permissions().mode();
    assert_eq!(chart, log, "the umask decides who may read a chart, as for any file");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_read() {
    let folder = folder();
    let usage = |words: &[&str], problem: &str| {
        let run = folder.run(&[&["timeline", "no-such.log"], words].concat());
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(problem), "{}", run.stderr);
        assert!(!run.stderr.contains("no-such.log"), "{}", run.stderr);
    };
    usage(&["--chart", "a.gif"], "--chart a.gif: the name says no format\n");
    usage(&["--chart", "a\u{1b}[2J"], "Let it end in .png or .svg.");
    usage(&["--chart", "a.png", "--size", "big"], "--size big: not a size\n");
    usage(&["--chart", "a.png", "--size", "10x10"], "from 480x320 to 8000x8000: 1200x800.");
    usage(&["--chart", "a.png", "--theme", "pink"], "light, dark");
    usage(&["--size", "1200x800"], "--chart");
}

#[test]
fn a_chart_that_cannot_be_written_is_an_error_and_leaves_the_old_one() {
    let folder = folder();
    let run = folder.run(&["timeline", "app.log", "--chart", "no/such/folder/a.png"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("no/such/folder/a.png: the chart could not be written: "));
    assert!(run.stderr.trim_end().ends_with("that you may write to."), "{}", run.stderr);
    folder.write("a.png", "old");
    folder.write("empty.log", "");
    let run = folder.run(&["timeline", "empty.log", "--chart", "a.png"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("a.png: there is no time to draw"), "{}", run.stderr);
    assert_eq!(std::fs::read(folder.path().join("a.png")).unwrap(), b"old");
}

/// The texts of an SVG file.
fn texts(path: &Path) -> Vec<String> {
    let file = std::fs::read_to_string(path).unwrap();
    let svg = roxmltree::Document::parse(&file).unwrap();
    let texts = svg.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap().to_owned()).collect()
}

#[test]
fn a_timeline_s_chart_shows_the_pools_that_the_log_tells_of_and_counts_the_same() {
    let folder = Folder::new();
    let journal = format!("{}/journal", sample());
    let words = ["timeline", &journal, "--tz", "America/Los_Angeles", "--since", "2026-05-05"];
    let plain = folder.run(&[&words[..], &["-o", "json"]].concat());
    let charted = folder.run(&[&words[..], &["-o", "json", "--chart", "a.svg"]].concat());
    assert_eq!(charted.code, Some(0), "{}", charted.stderr);
    assert_eq!(charted.stdout, plain.stdout);
    let texts = texts(&folder.path().join("a.svg"));
    for text in ["primary", "ro", "Events per day", "pool timeouts (1,131)"] {
        assert!(texts.iter().any(|own| own == text), "{text}: {texts:?}");
    }
    assert!(texts.iter().any(|own| own.starts_with("at most 20 of 20 in use")), "{texts:?}");
    let class = [&words[..], &["--chart", "a.svg", "--class", "pool_snapshot"]].concat();
    let run = folder.run(&class);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(!run.stderr.contains("http_503, pool_snapshot"), "{}", run.stderr);
}

#[test]
fn incidents_are_shaded_and_changes_are_numbered() {
    let folder = Folder::new();
    let journal = format!("{}/journal", sample());
    let words = ["timeline", &journal, "--tz", "America/Los_Angeles", "--since", "2026-05-05"];
    let words = [&words[..], &["--by", "hour", "-o", "csv", "--chart", "a.svg"]].concat();
    let run = folder.run(&words);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let texts = texts(&folder.path().join("a.svg"));
    assert!(texts.iter().any(|own| own == "May 6 04:49–17:14, 12 h 25 min"), "{texts:?}");
    let deployed = texts.iter().position(|own| own.starts_with("May 6 17:14: ")).unwrap();
    assert!(texts[deployed - 1].parse::<u32>().is_ok(), "{texts:?}");
}

#[test]
fn a_chart_of_pools_has_no_bars() {
    let folder = Folder::new();
    let journal = format!("{}/journal", sample());
    let words = ["pool", &journal, "--tz", "America/Los_Angeles", "--since", "2026-05-05"];
    let run = folder.run(&[&words[..], &["--chart", "a.svg", "--theme", "dark"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let texts = texts(&folder.path().join("a.svg"));
    for text in ["Connection pools", "primary", "ro", "atlas, scidex-api.service", "May 6, 2026"] {
        assert!(texts.iter().any(|own| own == text), "{text}: {texts:?}");
    }
    assert!(!texts.iter().any(|own| own.starts_with("Events")), "{texts:?}");
    folder.write("none.log", LOG);
    let run = folder.run(&["pool", "none.log", "--chart", "b.png"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("b.png: there is no time to draw"), "{}", run.stderr);
}

/// The elements of an SVG file, with what they say.
fn elements(path: &Path) -> Vec<String> {
    let file = std::fs::read_to_string(path).unwrap();
    let svg = roxmltree::Document::parse(&file).unwrap();
    let elements = svg.descendants().filter(|node| node.is_element());
    let element = |node: roxmltree::Node<'_, '_>| {
        let attributes = node.attributes().map(|a| format!("{}={}", a.name(), a.value()));
        let attributes: Vec<_> = attributes.collect();
        format!("{} {} {:?}", node.tag_name().name(), attributes.join(" "), node.text())
    };
    elements.map(element).collect()
}

/// The pictures of the README are what the program draws now; `make docs` draws them anew.
#[test]
fn the_pictures_of_the_readme_are_up_to_date() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = std::fs::read_to_string(top.join("Makefile")).unwrap();
    let readme = std::fs::read_to_string(top.join("README.md")).unwrap();
    let folder = Folder::new();
    let notes = format!("{}/notes.toml", sample());
    let words = ["timeline", &sample(), "--tz", "America/Los_Angeles", "--notes", &notes];
    for (name, options) in [
        ("outage-2026-05.svg", &[][..]),
        ("outage-2026-05-06.svg", &["--since", "2026-05-05", "--by", "hour"]),
    ] {
        let run = folder.run(&[&words[..], options, &["--chart", "now.svg"]].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let (kept, now) = (top.join("docs/images").join(name), folder.path().join("now.svg"));
        assert!(elements(&kept) == elements(&now), "{name} is out of date: run `make docs`");
        let command = [options, &["--chart", &format!("docs/images/{name}")]].concat().join(" ");
        assert!(makefile.contains(&command), "{command}");
        assert!(readme.contains(&format!("](docs/images/{name})")), "{name}");
    }
}
