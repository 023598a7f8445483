//! The laws of docs/ARCHITECTURE.md, as far as a program can keep them.
//!
//! The sources are read as rustfmt leaves them (`make lint` checks that), so that indentation
//! tells where a function ends. Comments and strings are not code; what follows `#[cfg(test)]`
//! at the end of a file is a test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 70;
/// A file that is longer, or has a longer function, says so with these words and why.
const REASON: &str = "Longer than the law because";

/// Modules that touch no file, environment, clock or terminal.
const PURE: [&str; 8] =
    ["time", "entry", "rules", "tally", "timeline", "series", "report", "render"];

/// What a pure module must not name.
const IMPURE: [&str; 21] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread::sleep",
    "std::os",
    "fs::File",
    "File::open",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "IsTerminal",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "println!",
    "print!(",
    "eprint!(",
    "dbg!",
    "crossterm",
];

struct Source {
    /// Relative to the repository.
    path: String,
    text: String,
}

impl Source {
    /// Lines of code with their numbers: no comments, no text in strings, no tests.
    fn code(&self) -> Vec<(usize, String)> {
        let mut code = Vec::new();
        for (number, line) in self.text.lines().enumerate() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            code.push((number + 1, without_strings_and_comments(line)));
        }
        code
    }

    /// The module of the library that the file belongs to: `rules` for `src/rules/gate.rs`.
    fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let module = inside.split(['/', '.']).next()?;
        (!matches!(module, "lib" | "main" | "pool")).then_some(module)
    }
}

/// The line up to its comment, with what stands between quotes left out.
fn without_strings_and_comments(line: &str) -> String {
    let (mut kept, mut quoted, mut escaped) = (String::new(), false, false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' if !quoted && characters.peek() == Some(&'"') => {
                characters.next();
            }
            '"' => quoted = !quoted,
            '/' if !quoted && characters.peek() == Some(&'/') => break,
            _ if quoted => {}
            _ => kept.push(character),
        }
    }
    kept
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the repository with this extension; build output and hidden folders left out.
fn files(extension: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|own| own == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&top(), extension, &mut found);
    found.sort();
    assert!(!found.is_empty(), "no .{extension} file");
    found
}

fn sources() -> Vec<Source> {
    let read = |path: &PathBuf| Source {
        path: path.strip_prefix(top()).unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    files("rs").iter().map(read).collect()
}

/// Fails with every finding, not only the first.
fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// The modules in the order of src/lib.rs.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(top().join("src/lib.rs")).unwrap();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    let modules: Vec<String> = text.lines().filter_map(name).collect();
    assert_eq!(modules.last().map(String::as_str), Some("cli"));
    modules
}

#[test]
fn a_module_imports_only_what_stands_above_it_in_lib_rs() {
    let modules = modules();
    let mut findings = Vec::new();
    for source in sources() {
        let Some(own) = source.module() else { continue };
        let Some(rank) = modules.iter().position(|module| module == own) else {
            findings.push(format!("{}: `{own}` is not in src/lib.rs", source.path));
            continue;
        };
        for (line, code) in source.code() {
            for import in code.split("crate::").skip(1) {
                let end = import.find(|c: char| !c.is_alphanumeric() && c != '_');
                let import = &import[..end.unwrap_or(import.len())];
                let stands = modules.iter().position(|module| module == import);
                if stands.is_none_or(|stands| stands > rank) {
                    let what =
                        if import.is_empty() { "a group: one `use` a module" } else { import };
                    findings.push(format!("{}:{line}: `{own}` imports {what}", source.path));
                }
            }
        }
    }
    none(findings);
}

#[test]
fn only_main_and_the_tests_start_the_command_line() {
    let mut findings = Vec::new();
    for source in sources() {
        let inside = source.path.starts_with("src/");
        for (line, code) in source.code() {
            let main = source.path == "src/main.rs";
            if inside && !main && (code.contains("cli::run") || code.contains("ebbline::")) {
                findings.push(format!("{}:{line}: {code}", source.path));
            }
        }
    }
    none(findings);
}

#[test]
fn the_pool_package_imports_nothing_of_ebbline() {
    let manifest = fs::read_to_string(top().join("src/pool/Cargo.toml")).unwrap();
    // Its tests and benchmarks lie outside of it, in tables that have two brackets.
    let dependencies = manifest.split("\n[[").next().unwrap();
    assert!(dependencies.contains("sqlx") && !dependencies.contains("path = \".."), "{manifest}");
    let pool = sources();
    let pool = pool.iter().filter(|source| source.path.starts_with("src/pool/"));
    let uses = pool.flat_map(Source::code).filter(|(_, code)| code.contains("ebbline::"));
    assert_eq!(uses.count(), 0);
}

#[test]
fn pure_modules_touch_no_file_environment_clock_or_terminal() {
    let mut findings = Vec::new();
    for source in sources() {
        if !source.module().is_some_and(|module| PURE.contains(&module)) {
            continue;
        }
        for (line, code) in source.code() {
            for impure in IMPURE.iter().filter(|impure| code.contains(**impure)) {
                findings.push(format!("{}:{line}: {impure}", source.path));
            }
        }
    }
    none(findings);
}

#[test]
fn only_the_command_line_prints() {
    let mut findings = Vec::new();
    for source in sources() {
        let may = source.path.starts_with("src/cli/") || !source.path.starts_with("src/");
        for (line, code) in source.code() {
            let prints = ["println!", "print!(", "io::stdout", "io::stderr", "process::exit"];
            if !may && prints.iter().any(|print| code.contains(print)) {
                findings.push(format!("{}:{line}: {}", source.path, code.trim()));
            }
        }
    }
    none(findings);
}

#[test]
fn every_file_opens_with_what_lives_in_it() {
    let sources = sources();
    // Rust forbids `//!` in a file that another one includes; `//` must do there.
    let included = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        sources.iter().any(|source| source.text.contains(&format!("include!(\"{name}\")")))
    };
    let silent = |source: &&Source| {
        let opening = if included(&source.path) { "// " } else { "//! " };
        !source.text.starts_with(opening)
    };
    none(sources.iter().filter(silent).map(|source| source.path.clone()).collect());
}

#[test]
fn files_and_functions_are_short() {
    let mut findings = Vec::new();
    for source in sources() {
        if source.text.contains(REASON) && source.path != "tests/tidy.rs" {
            continue;
        }
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > MAX_FILE_LINES {
            findings.push(format!("{}: {} lines", source.path, lines.len()));
        }
        for (start, _) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
            let length = function_length(&lines[start..]);
            if length > MAX_FUNCTION_LINES {
                findings.push(format!("{}:{}: {length} lines", source.path, start + 1));
            }
        }
    }
    none(findings);
}

/// The lines of the function that the first line begins: up to the brace that stands below its
/// own beginning, or the semicolon of a declaration.
fn function_length(lines: &[&str]) -> usize {
    let indent = &lines[0][..lines[0].len() - lines[0].trim_start().len()];
    if lines[0].ends_with(['}', ';']) {
        return 1;
    }
    let ends = |line: &&str| {
        let outdented = line.strip_prefix(indent).unwrap_or("");
        outdented == "}" || (outdented.starts_with(')') && outdented.ends_with(';'))
    };
    lines.iter().skip(1).position(ends).map_or(lines.len(), |last| last + 2)
}

fn begins_function(line: &str) -> bool {
    let words = line.trim_start().split("fn ").next().unwrap_or("");
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe"];
    line.contains("fn ") && words.split_whitespace().all(|word| qualifiers.contains(&word))
}

#[test]
fn nothing_is_left_unfinished_and_nothing_panics_by_design() {
    let unfinished = [concat!("TO", "DO"), concat!("FIX", "ME"), "todo!(", "unimplemented!("];
    // Strings are left out of code, so that `expect("…")` has lost its text.
    let panics = [".unwrap()", ".expect()", "unsafe {", "#[ignore"];
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.path != "tests/tidy.rs") {
        for (number, line) in source.text.lines().enumerate() {
            if unfinished.iter().any(|word| line.contains(word)) {
                findings.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
        for (line, code) in source.code() {
            let library = source.path.starts_with("src/");
            if library && panics.iter().any(|panic| code.contains(panic)) {
                findings.push(format!("{}:{line}: {}", source.path, code.trim()));
            }
        }
    }
    none(findings);
}

#[test]
fn every_file_of_the_built_in_catalogue_is_compiled_in() {
    let listed = fs::read_to_string(top().join("src/rules/builtin.rs")).unwrap();
    let names = files("toml");
    let names = names.iter().filter(|path| path.parent().unwrap().ends_with("rules/builtin"));
    let names: Vec<String> =
        names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert!(!names.is_empty());
    let missing = |name: &&String| !listed.contains(&format!("include_str!(\"builtin/{name}\")"));
    none(names.iter().filter(missing).cloned().collect());
}

#[test]
fn the_documentation_mentions_every_command() {
    let run = Command::new(env!("CARGO_BIN_EXE_ebbline")).arg("--help").output().unwrap();
    let help = String::from_utf8(run.stdout).unwrap();
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() >= 6, "the help names too few commands: {help}");
    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    let missing = |command: &&&str| !readme.contains(&format!("ebbline {command}"));
    none(commands.iter().filter(missing).map(|command| (*command).to_owned()).collect());
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let mut findings = Vec::new();
    for path in files("md") {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or("");
            let elsewhere = file.is_empty() || link.contains("://") || link.starts_with("mailto:");
            if !elsewhere && !path.parent().unwrap().join(file).exists() {
                findings.push(format!("{}: {link}", path.display()));
            }
        }
    }
    none(findings);
}

#[test]
fn no_file_names_a_place_of_the_machine_it_was_written_on() {
    let here = format!("{}/", env!("CARGO_MANIFEST_DIR"));
    let kinds = BTreeSet::from(["rs", "md", "toml", "service", "timer", "tsv"]);
    let named = |path: &PathBuf| fs::read_to_string(path).unwrap().contains(&here);
    let found = kinds.into_iter().flat_map(files).filter(named);
    none(found.map(|path| path.display().to_string()).collect());
}
