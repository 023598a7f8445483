//! `ebbline rules`, and what is said about rule files that are wrong.

use crate::harness::Folder;

fn with_rule(content: &str) -> Folder {
    let folder = Folder::new();
    folder.write("mine.toml", content);
    folder
}

#[test]
fn the_catalogue_passes_its_own_test() {
    let run = Folder::new().run(&["rules", "test"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(run.stdout.contains("all right"), "{}", run.stdout);
}

#[test]
fn a_rule_that_misses_its_sample_fails_the_test_with_3() {
    let folder = with_rule(
        "[[rule]]\nid = \"mine\"\nclass = \"pool_timeout\"\npattern = 'pool is dry'\nsamples = [\"the pool is wet\"]\n",
    );
    let run = folder.run(&["rules", "test", "mine.toml"]);
    assert_eq!(run.code, Some(3));
    assert!(run.stdout.contains("mine.toml: mine: does not match its sample"), "{}", run.stdout);
}

#[test]
fn a_wrong_expression_is_told_with_file_rule_and_position() {
    let folder =
        with_rule("[[rule]]\nid = \"mine\"\nclass = \"pool_timeout\"\npattern = 'pool (is dry'\n");
    let run = folder.run(&["classify", "--rules", "mine.toml"]);
    assert_eq!(run.code, Some(2));
    for part in ["mine.toml", "rule `mine`", "unclosed group", "^"] {
        assert!(run.stderr.contains(part), "no {part} in {}", run.stderr);
    }
}

#[test]
fn a_misspelt_key_is_told_with_line_and_column() {
    let folder = with_rule("[[rule]]\nid = \"mine\"\nclass = \"x\"\npatern = 'x'\n");
    let run = folder.run(&["rules", "list", "--rules", "mine.toml"]);
    assert_eq!(run.code, Some(2));
    for part in ["mine.toml", "line 4", "patern"] {
        assert!(run.stderr.contains(part), "no {part} in {}", run.stderr);
    }
}

#[test]
fn list_and_show_name_every_rule_and_where_it_stands() {
    let folder = Folder::new();
    let list = folder.run(&["rules", "list", "-o", "json"]);
    let document: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(document["schema"], "ebbline.rules/1");
    let first = document["rules"][0]["id"].as_str().unwrap();
    let show = folder.run(&["rules", "show", first]);
    assert_eq!(show.code, Some(0));
    assert!(show.stdout.contains(first) && show.stdout.contains("sample"), "{}", show.stdout);
    assert_eq!(folder.run(&["rules", "show", "no-such-rule"]).code, Some(2));
}

#[test]
fn a_rule_can_be_replaced_or_switched_off() {
    let folder = with_rule("disable = [\"psycopg-pool-timeout\"]\n");
    let line = b"psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec";
    let run = folder.run_with_stdin(&["classify", "--rules", "mine.toml"], line);
    assert_eq!(run.records()[0]["class"], serde_json::Value::Null);
    let run = folder.run_with_stdin(&["classify", "--no-builtin-rules"], line);
    assert_eq!(run.records()[0]["class"], serde_json::Value::Null);
    let folder = with_rule("disable = [\"no-such-rule\"]\n");
    assert_eq!(folder.run(&["rules", "list", "--rules", "mine.toml"]).code, Some(2));
}
