//! What the renderers make of the post-mortem's outage, and of hostile and awkward reports.
#![allow(clippy::unwrap_used)]

mod outage;

use std::io;

use chrono_tz::Tz;
use ebbline::render::table::Style;
use ebbline::render::{csv, json, markdown, ndjson, table};
use ebbline::report::{Columns, Report, SourceReport};
use ebbline::rules::RuleSet;
use ebbline::source::{Damage, SourceKind, Summary};
use ebbline::time::Span;
use ebbline::timeline::By;
use ebbline::timeline::fold::Folding;
use outage::{Log, at, outage, outage_report, parse_notes};
use serde_json::{Value, json};

fn text(render: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    render(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn table_text(report: &Report, style: Style) -> String {
    text(|out| table::render(report, Folding::QuietRuns, style, out))
}

fn markdown_text(report: &Report) -> String {
    text(|out| markdown::render(report, Folding::QuietRuns, out))
}

const PLAIN: Style = Style { width: 80, color: false, unicode: true };

/// A report on a log, by day in UTC, without sources.
fn report_on(log: &Log, notes: &str) -> Report {
    let notes = parse_notes(notes, Tz::UTC);
    let timeline = log.timeline(By::Day, Tz::UTC, Span::default(), notes);
    Report {
        timeline,
        span: Span::default(),
        sources: Vec::new(),
        columns: Columns::Occurring,
        incidents: None,
    }
}

/// Three quiet days, two of them without an entry in between.
fn short_log() -> Log {
    let mut log = Log::default();
    log.add(at("2026-05-01T10:00:00Z"), 7, 2, 20);
    log.add(at("2026-05-04T10:00:00Z"), 9, 0, 1);
    log
}

#[test]
fn markdown_is_the_table_of_the_post_mortem() {
    assert_eq!(
        markdown_text(&outage_report()),
        "\
| Day | pool timeouts | 503 responses | Notes |
|---|---:|---:|---|
| Apr 19 | 0 | 0 | pre-replica baseline |
| Apr 20 | 2459 | 565 | replica systemd unit added 19:19 PDT (commit 03f91a907); broke immediately |
| Apr 21 | 148 | 294 | winding down; replica started succeeding |
| Apr 22–24 | 1–5 | 1 | quiet, replica online |
| Apr 25–May 4 | 0 | 0–7 | stable, no incidents |
| May 5 | 11 | 9 | replica started failing |
| May 6 | 1120 | 1119 | full outage (~13h, 04:49–17:14 PDT) |

Total: pool timeouts 3747, 503 responses 2014, in 60120 entries from 2026-04-19 00:00:07 PDT to \
2026-05-06 23:59:58 PDT. Time zone: America/Los_Angeles.
"
    );
}

#[test]
fn a_terminal_of_80_columns_holds_the_table() {
    assert_eq!(
        table_text(&outage_report(), PLAIN),
        "\
Day           pool timeouts  503 responses  Notes
────────────────────────────────────────────────────────────────────────────────
Apr 19                    0              0  pre-replica baseline
Apr 20                 2459            565  replica systemd unit added 19:19 PDT
                                            (commit 03f91a907); broke
                                            immediately
Apr 21                  148            294  winding down; replica started
                                            succeeding
Apr 22–24               1–5              1  quiet, replica online
Apr 25–May 4              0            0–7  stable, no incidents
May 5                    11              9  replica started failing
May 6                  1120           1119  full outage (~13h, 04:49–17:14 PDT)
────────────────────────────────────────────────────────────────────────────────
Total                  3747           2014

Entries    60120
First      2026-04-19 00:00:07 PDT
Last       2026-05-06 23:59:58 PDT
Time zone  America/Los_Angeles
Sources    journal  60000 entries  /var/log/journal/4f1c/system.journal
           text       120 entries  app.log.gz, 3 skipped
Damage     app.log.gz at byte 4096: the file ends in an object
           and 2 more
"
    );
}

#[test]
fn a_wide_terminal_has_a_table_as_wide_as_its_notes() {
    let table = table_text(&outage_report(), Style { width: 200, ..PLAIN });
    let rule = "─".repeat(118);
    assert_eq!(table.lines().filter(|line| *line == rule).count(), 2);
    let note = "replica systemd unit added 19:19 PDT (commit 03f91a907); broke immediately";
    assert!(table.lines().any(|line| line.ends_with(note)), "{table}");
}

#[test]
fn a_narrow_terminal_breaks_the_headings_first_and_ascii_has_no_dashes() {
    let table = table_text(&outage_report(), Style { width: 60, unicode: false, ..PLAIN });
    let head = "\
Day               pool        503  Notes
              timeouts  responses
------------------------------------------------------------
Apr 19               0          0  pre-replica baseline
";
    assert!(table.starts_with(head), "{table}");
    assert!(table.contains("\nApr 22-24          1-5          1  quiet, replica online\n"));
}

#[test]
fn colour_marks_loud_counts_and_missing_data_and_nothing_else() {
    let report = report_on(&short_log(), "");
    let table = table_text(&report, Style { color: true, ..PLAIN });
    assert!(!table_text(&report, PLAIN).contains('\x1b'));
    let styled = |line: &str| line.matches("\x1b[38;5;9m").count();
    let row = |label: &str| table.lines().find(|line| line.starts_with(label)).unwrap();
    // 2 timeouts are quiet, 20 responses are not.
    assert_eq!(styled(row("May 1")), 1);
    assert!(row("May 1").contains("\x1b[38;5;9m             20\x1b[39m"), "{table:?}");
    assert!(row("May 2–3").contains("\x1b[2m        no data\x1b[0m"), "{table:?}");
    assert!(!row("May 4").contains('\x1b') && !row("Total").contains('\x1b'));
}

#[test]
fn without_notes_the_terminal_has_no_column_for_them() {
    let report = report_on(&short_log(), "[[note]]\nday = 2020-01-01\ntext = 'moved'\n");
    assert_eq!(
        table_text(&report, PLAIN),
        "\
Day      pool timeouts  503 responses
─────────────────────────────────────
May 1                2             20
May 2–3        no data        no data
May 4                0              1
─────────────────────────────────────
Total                2             21

Entries    16
First      2026-05-01 10:00:00 UTC
Last       2026-05-04 10:00:00 UTC
Time zone  UTC
Notes      1 more is about another time
"
    );
    assert!(markdown_text(&report).starts_with(
        "\
| Day | pool timeouts | 503 responses | Notes |
|---|---:|---:|---|
| May 1 | 2 | 20 | |
| May 2–3 | no data | no data | |
| May 4 | 0 | 1 | |
"
    ));
}

#[test]
fn what_carries_no_time_has_a_row() {
    let mut log = short_log();
    let undated = log.tally.at(None);
    undated.entries += 4;
    undated.add_events(RuleSet::empty().class_index("upstream_503").unwrap(), 3);
    let report = report_on(&log, "");
    let expected = "\
| Day | pool timeouts | 503 responses | upstream 503s | Notes |
|---|---:|---:|---:|---|
| May 1 | 2 | 20 | 0 | |
| May 2–3 | no data | no data | no data | |
| May 4 | 0 | 1 | 0 | |
| no date | 0 | 0 | 3 | 4 entries without a time |
";
    assert!(markdown_text(&report).starts_with(expected), "{}", markdown_text(&report));
    assert!(table_text(&report, PLAIN).contains("\nTotal                2             21"));
}

#[test]
fn nothing_found_is_said_and_is_no_zero() {
    let report = report_on(&Log::default(), "");
    assert_eq!(table_text(&report, PLAIN), "No entry was found.\n\nEntries    0\nTime zone  UTC\n");
    assert_eq!(
        text(|out| csv::render(&report, out)),
        "start,end,entries,coverage,suppressed,pool_timeout,http_503,upstream_503,notes,changes\n"
    );
}

#[test]
fn csv_has_every_bucket_and_empty_counts_where_nothing_was_seen() {
    let notes = "[[note]]\nday = 2026-05-02\ntext = 'mail, and \"more\"'\n\
                 [[note]]\nfrom = 2026-05-02\nto = 2026-05-03\ntext = '''\nhost\ndown'''\n";
    assert_eq!(
        text(|out| csv::render(&report_on(&short_log(), notes), out)),
        "\
start,end,entries,coverage,suppressed,pool_timeout,http_503,upstream_503,notes,changes
2026-05-01T00:00:00+00:00,2026-05-02T00:00:00+00:00,7,partial,0,2,20,0,,
2026-05-02T00:00:00+00:00,2026-05-03T00:00:00+00:00,0,none,0,,,,\"mail, and \"\"more\"\"; host down\",
2026-05-03T00:00:00+00:00,2026-05-04T00:00:00+00:00,0,none,0,,,,host down,
2026-05-04T00:00:00+00:00,2026-05-05T00:00:00+00:00,9,partial,0,0,1,0,,
"
    );
}

#[test]
fn json_is_the_document_of_the_contract() {
    let mut log = short_log();
    log.tally.at(None).entries += 4;
    let mut report = report_on(&log, "[[note]]\nday = 2026-05-04\ntext = 'back'\n");
    report.span = Span { since: Some(at("2026-05-01T00:00:00Z")), until: None };
    let mut summary = Summary::new("a.log", SourceKind::Text);
    summary.entries = 16;
    summary.undated = 4;
    summary.bytes = 900;
    summary.first = Some(at("2026-05-01T10:00:00.25Z"));
    let damage = Damage { offset_bytes: 7, problem: "NUL bytes".to_owned() };
    report.sources.push(SourceReport { summary, damage: vec![damage], more_damage: 0 });
    let written = text(|out| json::render(&report, out));
    assert!(written.starts_with("{\"schema\":\"ebbline.timeline/1\",\"by\":\"day\","), "{written}");
    assert!(written.ends_with("}\n") && written.lines().count() == 1);
    let bucket = |start: &str, end: &str, entries: u64, counts: [u64; 2], coverage: &str| {
        json!({
            "start": format!("2026-05-{start}T00:00:00+00:00"),
            "end": format!("2026-05-{end}T00:00:00+00:00"),
            "entries": entries,
            "counts": {"pool_timeout": counts[0], "http_503": counts[1], "upstream_503": 0},
            "coverage": coverage, "suppressed": 0, "notes": [],
            "changes": [], "more_changes": 0,
        })
    };
    let mut last = bucket("04", "05", 9, [0, 1], "partial");
    last["notes"] = json!(["back"]);
    assert_eq!(
        serde_json::from_str::<Value>(&written).unwrap(),
        json!({
            "schema": "ebbline.timeline/1", "by": "day", "timezone": "UTC",
            "since": "2026-05-01T00:00:00+00:00", "until": null,
            "sources": [{
                "path": "a.log", "kind": "text", "entries": 16, "undated": 4, "bytes": 900,
                "first": "2026-05-01T10:00:00.250+00:00", "last": null,
                "damage": [{"offset": 7, "problem": "NUL bytes"}], "more_damage": 0, "skipped": 0,
            }],
            "classes": ["pool_timeout", "http_503", "upstream_503"],
            "first": "2026-05-01T10:00:00+00:00", "last": "2026-05-04T10:00:00+00:00",
            "buckets": [
                bucket("01", "02", 7, [2, 20], "partial"),
                bucket("02", "03", 0, [0, 0], "none"),
                bucket("03", "04", 0, [0, 0], "none"),
                last,
            ],
            "undated":
                {"entries": 4, "counts": {"pool_timeout": 0, "http_503": 0, "upstream_503": 0}},
            "totals":
                {"entries": 20, "counts": {"pool_timeout": 2, "http_503": 21, "upstream_503": 0}},
            "suppressed": 0, "not_logged": [], "more_not_logged": 0, "more_changes": 0, "incidents": null,
        })
    );
}

#[test]
fn ndjson_lines_are_the_buckets_of_the_document() {
    let report = outage_report();
    let document: Value = serde_json::from_str(&text(|out| json::render(&report, out))).unwrap();
    let lines = text(|out| ndjson::render(&report, out));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(document["buckets"], Value::Array(lines));
    assert_eq!(document["buckets"].as_array().unwrap().len(), 18);
}

#[test]
fn hours_of_the_outage_add_up_to_the_totals() {
    let mut report = outage_report();
    report.timeline =
        outage().timeline(By::Hour, Tz::America__Los_Angeles, Span::default(), Vec::new());
    let document: Value = serde_json::from_str(&text(|out| json::render(&report, out))).unwrap();
    let buckets = document["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 18 * 24);
    let sum = |class: &str| {
        buckets.iter().map(|bucket| bucket["counts"][class].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((sum("pool_timeout"), sum("http_503")), (3747, 2014));
}

/// A note that tries to clear the screen, to hide text, to leave its cell and to be a formula.
const HOSTILE: &str = r#"
[[note]]
day = 2026-05-01
text = "=cmd|' /C calc'!A0 \u001b[2J\u009b31m\u202Eevil `x` <script>a</script>\n| forged | 0 |"
"#;

#[test]
fn a_hostile_note_harms_no_format() {
    let report = report_on(&short_log(), HOSTILE);
    let outputs = [
        table_text(&report, PLAIN),
        markdown_text(&report),
        text(|out| csv::render(&report, out)),
        text(|out| json::render(&report, out)),
        text(|out| ndjson::render(&report, out)),
    ];
    for output in &outputs {
        let obeyed = |character: char| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        };
        assert!(!output.contains(obeyed), "{output:?}");
    }
    let [table, markdown, csv, json, _] = outputs;
    assert!(table.contains("\\x1b[2J\\x9b31m\\u{202e}evil"), "{table}");
    assert_eq!(
        markdown.lines().nth(2).unwrap(),
        "| May 1 | 2 | 20 | =cmd\\|' /C calc'!A0 \\\\x1b\\[2J\\\\x9b31m\\\\u{202e}evil \\`x\\` \
         &lt;script&gt;a&lt;/script&gt; \\| forged \\| 0 \\| |"
    );
    let row = csv.lines().nth(1).unwrap();
    assert!(row.contains(",'=cmd|' /C calc'!A0 \\x1b[2J"), "{row}");
    let document: Value = serde_json::from_str(&json).unwrap();
    let note = document["buckets"][0]["notes"][0].as_str().unwrap();
    assert!(note.contains("\u{1b}[2J\u{9b}31m\u{202e}evil"), "{note:?}");
}

#[test]
fn wide_characters_and_endless_words_stay_in_their_column() {
    let notes = format!(
        "[[note]]\nday = 2026-05-01\ntext = '{}'\n[[note]]\nday = 2026-05-04\ntext = '{}'\n",
        "接続プールが枯渇し、すべての要求が五〇三で失敗した。再起動まで回復せず。",
        "https://example.org/".repeat(6)
    );
    let table = table_text(&report_on(&short_log(), &notes), PLAIN);
    let columns = |line: &str| {
        line.chars().map(|character| if character >= '\u{3000}' { 2 } else { 1 }).sum::<usize>()
    };
    let body: Vec<&str> = table.lines().take_while(|line| !line.is_empty()).collect();
    assert!(body.iter().all(|line| columns(line) <= 80), "{table}");
    assert!(body.len() > 8, "{table}");
}

#[test]
fn a_long_list_of_sources_and_damage_is_cut_and_says_so() {
    let mut report = report_on(&short_log(), "");
    for number in 0..44u64 {
        let mut summary = Summary::new(format!("log.{number}"), SourceKind::Syslog);
        summary.entries = number;
        summary.skipped = number % 2;
        let damage = Damage { offset_bytes: number, problem: "\x1b[31mbroken".to_owned() };
        report.sources.push(SourceReport { summary, damage: vec![damage], more_damage: 1 });
    }
    let table = table_text(&report, PLAIN);
    let (_, footer) = table.split_once("Sources").unwrap();
    assert_eq!(footer.lines().count(), 9 + 9);
    // 8 + 9 + … + 43 entries, of which the 18 odd ones skipped one each.
    assert!(footer.contains("\n           and 36 more with 918 entries, 18 skipped\n"), "{footer}");
    assert!(footer.contains("\nDamage     log.0 at byte 0: \\x1b[31mbroken\n"), "{footer}");
    assert!(footer.ends_with("\n           and 80 more\n"), "{footer}");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_spelt_out() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let mut report = report_on(&short_log(), "");
    let path = OsStr::from_bytes(b"caf\xe9\n.log");
    let summary = Summary::new(path, SourceKind::Text);
    report.sources.push(SourceReport { summary, damage: Vec::new(), more_damage: 0 });
    let table = table_text(&report, PLAIN);
    assert!(table.contains("Sources    text     0 entries  caf\\xe9\\n.log\n"), "{table}");
}

#[test]
fn a_table_of_too_many_rows_ends_with_how_many_more_there_are() {
    let mut log = Log::default();
    log.add(at("2026-05-01T00:00:00Z"), 1, 0, 0);
    log.add(at("2026-05-15T00:00:00Z"), 1, 0, 0);
    log.tally.at(None).entries += 1;
    let mut report = report_on(&log, "");
    report.timeline = log.timeline(By::Minute, Tz::UTC, Span::default(), Vec::new());
    let table = text(|out| table::render(&report, Folding::None, PLAIN, out));
    // Fourteen days and a minute are 20161 minutes.
    assert!(table.contains("\n161 more rows: choose a coarser --by, or -o csv for all.\n"));
    assert!(table.contains("\nno date "), "the row of what carries no time is kept");
}
