//! `ebbline classify`: one message a line in, one NDJSON record a line out, for trying rules.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use super::args::ClassifyArgs;
use super::error::CliError;
use super::rules;
use crate::render::escape;
use crate::rules::{Classifier, NoFields, POOL_SNAPSHOT};
use crate::series::{Gauge, Snapshot, format};
use crate::source::discover::STDIN;

/// A longer line is classified by its beginning, so that no input can take all memory.
const MAX_LINE_BYTES: u64 = 1 << 20;

pub(super) fn run(args: &ClassifyArgs) -> Result<ExitCode, CliError> {
    let classifier = Classifier::new(rules::load(&args.rules)?);
    let input: Box<dyn Read> = if args.file == Path::new(STDIN) {
        Box::new(io::stdin().lock())
    } else {
        let file =
            File::open(&args.file).map_err(|error| CliError::unreadable(&args.file, &error))?;
        Box::new(file)
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    let mut number = 0_u64;
    while read_line(&mut input, &mut line)
        .map_err(|error| CliError::unreadable(&args.file, &error))?
    {
        number += 1;
        out.write_all(&escape::json(&record(&classifier, number, &line))?)?;
        out.write_all(b"\n")?;
        if input.buffer().is_empty() {
            // Whoever types or pipes line by line sees each answer at once.
            out.flush()?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a line without its end; false at the end of the input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(false);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
    } else {
        input.skip_until(b'\n')?;
    }
    Ok(true)
}

/// What a snapshot says of a pool, as fields; of one of several pools behind its name.
fn state(snapshot: &Snapshot<'_>, is_one_of_many: bool) -> Vec<(String, serde_json::Value)> {
    let pool = snapshot.pool.as_deref().map(|pool| String::from_utf8_lossy(pool).into_owned());
    let prefix = match &pool {
        Some(pool) if is_one_of_many => format!("{pool}."),
        _ => String::new(),
    };
    let values = Gauge::ALL.into_iter().filter_map(|gauge| {
        let value = snapshot.values.get(gauge)?;
        Some((format!("{prefix}{}", gauge.name()), value.to_string().into()))
    });
    let name = pool.filter(|_| !is_one_of_many).map(|pool| ("pool".to_owned(), pool.into()));
    name.into_iter().chain(values).collect()
}

fn record(classifier: &Classifier, number: u64, line: &[u8]) -> serde_json::Value {
    let Some(index) = classifier.classify(line, &NoFields) else {
        return serde_json::json!({
            "line": number, "class": null, "rule": null, "echo": false, "fields": {},
        });
    };
    let rule = classifier.rules().rule(index);
    let fields: serde_json::Map<String, serde_json::Value> = if rule.class == POOL_SNAPSHOT {
        let snapshots = format::read(classifier, index, line, &mut None);
        snapshots.iter().flat_map(|snapshot| state(snapshot, snapshots.len() > 1)).collect()
    } else {
        let captures = classifier.captures(index, line).into_iter();
        captures.map(|(name, value)| (name, value.into())).collect()
    };
    serde_json::json!({
        "line": number, "class": rule.class, "rule": rule.id, "echo": rule.echo, "fields": fields,
    })
}
