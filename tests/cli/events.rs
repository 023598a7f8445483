//! `ebbline events`: every classified entry with where it can be found again.

use crate::harness::{Folder, http_503_line, pool_timeout_line};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write(
        "b.log",
        format!(
            "2026-05-06 04:48:00,000 INFO start\n{}",
            pool_timeout_line("2026-05-06 04:50:00,250")
        ),
    );
    folder.write("a.log", http_503_line("06/May/2026:04:49:00 +0000"));
    folder
}

#[test]
fn events_of_all_sources_come_in_the_order_of_their_time() {
    let run = folder().run(&["events", "b.log", "a.log", "-o", "ndjson"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let records = run.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["class"], "http_503");
    assert_eq!(records[0]["at"], "2026-05-06T04:49:00.000000+00:00");
    assert_eq!(records[0]["origin"]["path"], "a.log");
    assert_eq!(records[1]["class"], "pool_timeout");
    assert_eq!(records[1]["origin"]["line"], 2);
    assert_eq!(records[1]["echo"], false);
    assert_eq!(records[1]["unit"], serde_json::Value::Null);
    assert!(records[1]["message"].as_str().unwrap().contains("after 30.00 sec"));
}

#[test]
fn a_class_can_be_chosen_and_every_format_has_the_same_events() {
    let folder = folder();
    let run = folder.run(&["events", ".", "--class", "http_503", "-o", "ndjson"]);
    assert_eq!(run.records().len(), 1);
    let document: serde_json::Value =
        serde_json::from_str(&folder.run(&["events", ".", "-o", "json"]).stdout).unwrap();
    assert_eq!(document["schema"], "ebbline.events/1");
    assert_eq!(document["events"].as_array().unwrap().len(), 2);
    assert_eq!(folder.run(&["events", ".", "-o", "csv"]).stdout.lines().count(), 3);
    assert_eq!(folder.run(&["events", "."]).stdout.lines().count(), 2);
}

#[test]
fn an_entry_with_a_traceback_is_one_event() {
    let folder = Folder::new();
    folder.write(
        "app.log",
        "2026-05-06 04:49:00,000 ERROR app: request failed\n\
         Traceback (most recent call last):\n  File \"pool.py\", line 203, in getconn\n\
         psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec\n\n\
         The above exception was the direct cause of the following exception:\n\n\
         django.db.utils.OperationalError: couldn't get a connection after 30.00 sec\n\
         2026-05-06 04:49:01,000 INFO next\n",
    );
    let run = folder.run(&["events", "app.log", "-o", "ndjson"]);
    assert_eq!(run.records().len(), 1, "{}", run.stdout);
    assert_eq!(run.records()[0]["origin"]["line"], 1);
}

#[test]
fn where_nothing_could_be_read_nothing_is_printed() {
    for format in ["json", "csv"] {
        let run = folder().run(&["events", "missing.log", "-o", format]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{format}");
    }
}
