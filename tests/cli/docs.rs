//! The examples in the documentation, run: what they print is what the text says.
//!
//! In a block marked `console`, a line `$ command` is run by the shell at the top of the
//! repository, and the lines up to the next command are its output, to the letter.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Example {
    place: String,
    command: String,
    output: String,
}

fn documents() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["", "docs", "docs/deploy", "sample-logs", "sample-logs/outage-2026-05"];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(top.join(folder)).unwrap());
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files
}

fn examples(document: &Path) -> Vec<Example> {
    let text = std::fs::read_to_string(document).unwrap();
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            let place = format!("{}:{}", document.display(), number + 1);
            examples.push(Example { place, command: command.to_owned(), output: String::new() });
        } else if inside && let Some(example) = examples.last_mut() {
            example.output.push_str(line);
            example.output.push('\n');
        }
    }
    examples
}

#[test]
fn every_example_prints_what_the_documentation_says() {
    let binary = Path::new(env!("CARGO_BIN_EXE_ebbline")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> =
        std::iter::once(binary.to_owned()).chain(std::env::split_paths(&path)).collect();
    let mut count = 0;
    for example in documents().iter().flat_map(|document| examples(document)) {
        let run = Command::new("sh")
            .args(["-c", &example.command])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PATH", std::env::join_paths(&path).unwrap())
            .env("TZ", "UTC")
            .env("COLUMNS", "80")
            .output()
            .unwrap();
        let output =
            String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
        let lines = |text: &str| -> Vec<String> {
            text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
        };
        assert_eq!(lines(&output), lines(&example.output), "{}", example.place);
        count += 1;
    }
    assert!(count >= 8, "only {count} examples were found");
}
