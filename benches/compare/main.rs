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

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use cases::Group;
use corpus::Corpus;
use measure::Runs;

/// A case that takes longer than this runs once.
const SLOW: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    // `cargo test --all-targets` starts this, too, but does not ask for measurements.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> io::Result<()> {
    let entries = number("BENCH_ENTRIES", 200_000)?;
    let rounds = number("BENCH_ROUNDS", 7)?;
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let corpus = Corpus::ready(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), entries)?;
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
    measure::run(group.cases[0].command())?;
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
    let cat = measured[0].wall();
    let rg = group.cases.iter().position(|case| case.name == "rg -c");
    let rg = rg.map(|position| measured[position].wall());
    let times = |of: Duration, other: Duration| of.as_secs_f64() / other.as_secs_f64().max(1e-9);
    println!("\n{}\n", group.title);
    println!("| case | wall | × cat | × rg | processor | peak memory | runs |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (case, runs) in group.cases.iter().zip(measured) {
        let to_rg = rg.map_or(String::new(), |rg| format!("{:.2}", times(runs.wall(), rg)));
        println!(
            "| `{}` | {:.3} s | {:.2} | {to_rg} | {:.3} s | {:.0} MB | {} |",
            case.name.replace('|', "\\|"),
            runs.wall().as_secs_f64(),
            times(runs.wall(), cat),
            runs.processor().as_secs_f64(),
            runs.peak_bytes() as f64 / 1e6,
            runs.0.len()
        );
    }
}
