//! The examples in the documentation, run: what they print is what the text says.
//!
//! In a block marked `console`, a line `$ command` is run by the shell in a folder that looks
//! like the top of the repository, and the lines up to the next command are its output, to the
//! letter. A block whose first line is `# NAME.toml` is a file of that folder.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Block {
    /// The document and the line of the block's beginning.
    place: String,
    language: String,
    lines: Vec<String>,
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/deploy", "sample-logs", "sample-logs/outage-2026-05"];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(top().join(folder)).unwrap());
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files
}

fn blocks(document: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(document).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), is_inside) {
            (Some(language), false) => {
                let place = format!("{}:{}", document.display(), number + 1);
                blocks.push(Block { place, language: language.to_owned(), lines: Vec::new() });
                is_inside = true;
            }
            (Some(_), true) => is_inside = false,
            (None, true) => blocks.last_mut().unwrap().lines.push(line.trim_end().to_owned()),
            (None, false) => {}
        }
    }
    blocks
}

/// A folder that looks like the top of the repository, with the files that a document shows.
fn folder_of(blocks: &[Block]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sample-logs", "docs", "README.md"] {
        std::os::unix::fs::symlink(top().join(name), folder.path().join(name)).unwrap();
    }
    for block in blocks.iter().filter(|block| block.language == "toml") {
        let name = block.lines[0].strip_prefix("# ").filter(|name| name.ends_with(".toml"));
        if let Some(name) = name {
            std::fs::write(folder.path().join(name), block.lines.join("\n")).unwrap();
        }
    }
    folder
}

/// Runs the commands of a block and gives the block as it should read.
fn rerun(block: &Block, folder: &Path) -> Vec<String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_ebbline")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> =
        std::iter::once(binary.to_owned()).chain(std::env::split_paths(&path)).collect();
    let mut lines = Vec::new();
    for command in block.lines.iter().filter_map(|line| line.strip_prefix("$ ")) {
        let run = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(folder)
            .env("PATH", std::env::join_paths(&path).unwrap())
            .env("TZ", "UTC")
            .env("COLUMNS", "80")
            .output()
            .unwrap();
        lines.push(format!("$ {command}"));
        let output = String::from_utf8(run.stdout).unwrap();
        lines.extend(output.trim_end().lines().map(|line| line.trim_end().to_owned()));
    }
    lines
}

#[test]
fn every_example_prints_what_the_documentation_says() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for document in documents() {
        let blocks = blocks(&document);
        let folder = folder_of(&blocks);
        for block in blocks.iter().filter(|block| block.language == "console") {
            let expected: Vec<String> =
                block.lines.iter().filter(|line| !line.is_empty()).cloned().collect();
            let mut got = rerun(block, folder.path());
            got.retain(|line| !line.is_empty());
            if got != expected {
                wrong.push(format!("{} should read:\n{}", block.place, got.join("\n")));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= 12, "only {count} examples were found");
}
