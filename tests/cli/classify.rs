//! `ebbline classify`: one record a line, in order, for whatever comes in.

use crate::harness::Folder;

#[test]
fn each_line_gives_one_record() {
    let folder = Folder::new();
    let run = folder.run_with_stdin(
        &["classify"],
        b"psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec\nall is well\n\xff\n",
    );
    assert_eq!(run.code, Some(0));
    let records = run.records();
    assert_eq!(records.len(), 3);
    assert_eq!(records[0]["line"], 1);
    assert_eq!(records[0]["class"], "pool_timeout");
    assert_eq!(records[0]["echo"], false);
    assert!(records[0]["fields"].is_object());
    assert_eq!(records[1]["class"], serde_json::Value::Null);
    assert_eq!(records[1]["rule"], serde_json::Value::Null);
    assert_eq!(records[2]["line"], 3);
}

#[test]
fn a_users_rule_comes_before_the_catalogue_and_gives_its_named_groups() {
    let folder = Folder::new();
    folder.write(
        "mine.toml",
        r#"
[[rule]]
id = "shop-no-connection"
class = "pool_timeout"
pattern = 'shop: no connection for (?<waited_ms>\d+) ms'
samples = ["shop: no connection for 20 ms"]
"#,
    );
    let run = folder.run_with_stdin(
        &["classify", "-", "--rules", "mine.toml"],
        b"12:00 shop: no connection for 1500 ms",
    );
    let record = &run.records()[0];
    assert_eq!(record["rule"], "shop-no-connection");
    assert_eq!(record["fields"]["waited_ms"], "1500");
}
