//! `make bench`: ebbline against the programs that one would use instead, on a seeded corpus.
//!
//! All cases of a group run in turn, several rounds of them, so that a busy moment of the machine
//! meets them all. Every answer is compared with what the generator knows; a wrong one ends the
//! run. docs/BENCHMARKS.md tells what each case is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cases;
mod corpus;
mod entries;
mod measure;

// The tests' own makers of entries and journals.
#[path = "../../tests/support/journals.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod journals;
#[path = "../../tests/support/writer.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod writer;

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use cases::Group;
use corpus::Corpus;
use measure::Runs;

/// Asks this program only to build the corpus.
const BUILD: &str = "--build";
/// A case that takes longer than this runs once.
const SLOW: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    // `cargo test --all-targets` starts this, too, but does not ask for measurements.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let is_builder = std::env::args().any(|argument| argument == BUILD);
    match if is_builder { corpus().map(drop) } else { bench() } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The corpus that is asked for, built unless it is there already.
fn corpus() -> io::Result<Corpus> {
    let entries = number("BENCH_ENTRIES", 200_000)?;
    Corpus::ready(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), entries)
}

fn bench() -> io::Result<()> {
    // In a process of its own: the peak memory of what is measured begins with that of its parent.
    let builder = Command::new(std::env::current_exe()?).args(["--bench", BUILD]).status()?;
    if !builder.success() {
        return Err(io::Error::other(format!("building the corpus: {builder}")));
    }
    let corpus = corpus()?;
    let rounds = number("BENCH_ROUNDS", 7)?;
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let (all, of_unit) = (&corpus.facts.all, &corpus.facts.of_unit);
    println!("{} entries, {} of them count", all.entries, all.events());
    println!(
        "{} entries of {}, {} of them count",
        of_unit.entries,
        entries::UNIT,
        of_unit.events()
    );
    for group in cases::all(&corpus)?.iter().filter(|group| group.title.contains(&only)) {
        let measured = measure(group, rounds)?;
        print(group, &measured);
    }
    Ok(())
}

fn number(variable: &str, default: u64) -> io::Result<u64> {
    match std::env::var(variable) {
        Err(_) => Ok(default),
        Ok(text) => text
            .parse()
            .map_err(|_| io::Error::other(format!("{variable}={text}: this is not a number"))),
    }
}

fn measure(group: &Group, rounds: u64) -> io::Result<Vec<Runs>> {
    // What was just built or not used for long is not in the page cache.
    for cat in group.cases.iter().filter(|case| case.is_cat()) {
        measure::run(cat.command())?;
    }
    let mut measured: Vec<Runs> = group.cases.iter().map(|_| Runs::default()).collect();
    for round in 0..rounds.max(1) {
        for (case, runs) in group.cases.iter().zip(&mut measured) {
            if round > 0 && runs.wall() > SLOW {
                continue;
            }
            let (run, printed) = measure::run(case.command())
                .map_err(|error| io::Error::other(format!("{}: {error}", case.name)))?;
            case.check(&printed)?;
            runs.0.push(run);
        }
    }
    Ok(measured)
}

fn print(group: &Group, measured: &[Runs]) {
    let rg = group.cases.iter().position(|case| case.name == "rg -c");
    let rg = rg.map(|position| measured[position].wall());
    let times = |of: Duration, other: Duration| of.as_secs_f64() / other.as_secs_f64().max(1e-9);
    println!("\n{}\n", group.title);
    println!("| case | wall | × cat | × rg | s/GB | processor | peak memory | runs |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let mut cat = Duration::ZERO;
    for (case, runs) in group.cases.iter().zip(measured) {
        // A group of several sizes has a `cat` for each.
        if case.is_cat() {
            cat = runs.wall();
        }
        let to_rg = rg.map_or(String::new(), |rg| format!("{:.2}", times(runs.wall(), rg)));
        // What a file of one line costs has nothing to do with its size.
        let per_gigabyte = if case.bytes > 1_000_000 {
            format!("{:.3}", runs.wall().as_secs_f64() / (case.bytes as f64 / 1e9))
        } else {
            String::new()
        };
        println!(
            "| `{}` | {:.3} s | {:.2} | {to_rg} | {per_gigabyte} | {:.3} s | {:.0} MB | {} |",
            case.name.replace('|', "\\|"),
            runs.wall().as_secs_f64(),
            times(runs.wall(), cat),
            runs.processor().as_secs_f64(),
            runs.peak_bytes() as f64 / 1e6,
            runs.0.len()
        );
    }
}
