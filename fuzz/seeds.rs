//! Makes what the fuzz targets begin with, in the folder that is given: small files of every
//! variant and form, written by the tests' own writers or taken from the tests' corpus.

use std::fs;
use std::io;
use std::path::Path;

#[path = "../tests/support/journals.rs"]
mod journals;
#[path = "../tests/support/writer.rs"]
mod writer;

use journals::{TestEntry, mixed_entries};
use writer::{Codec, journal_bytes};

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/seeds".to_owned());
    let folder = Path::new(&folder);
    for target in ["journal", "export", "json", "text", "rules"] {
        fs::create_dir_all(folder.join(target))?;
    }
    journals_of_every_variant(&folder.join("journal"))?;
    exports(&folder.join("export"))?;
    let lines = lines_of_programs()?;
    json(&folder.join("json"), &lines)?;
    texts(&folder.join("text"), &lines)?;
    rule_files(&folder.join("rules"))
}

fn journals_of_every_variant(folder: &Path) -> io::Result<()> {
    for codec in [Codec::None, Codec::Xz, Codec::Lz4, Codec::Zstd] {
        for compact in [false, true] {
            for entries in [0, 1, 6, 20] {
                let bytes = journal_bytes(&mixed_entries(entries, 5), codec, compact);
                fs::write(folder.join(format!("{codec:?}-{compact}-{entries}")), bytes)?;
            }
        }
    }
    Ok(())
}

fn exports(folder: &Path) -> io::Result<()> {
    for entries in [1, 2, 8] {
        let mut export = Vec::new();
        mixed_entries(entries, 5).iter().for_each(|entry| entry.export(&mut export));
        fs::write(folder.join(entries.to_string()), export)?;
    }
    let mut binary = Vec::new();
    TestEntry::new(1, b"a\0b\n503").with("_HOSTNAME", "n").export(&mut binary);
    fs::write(folder.join("binary"), binary)
}

/// Lines of real programs, from the corpus of the rules.
fn lines_of_programs() -> io::Result<Vec<String>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
    let mut lines = Vec::new();
    for file in ["http.tsv", "pools.tsv"] {
        let text = fs::read_to_string(corpus.join(file))?;
        let messages = text.lines().skip(1).filter_map(|line| line.splitn(3, '\t').nth(2));
        lines.extend(messages.filter(|line| line.len() < 400).map(str::to_owned));
    }
    Ok(lines)
}

fn json(folder: &Path, lines: &[String]) -> io::Result<()> {
    let objects = lines.iter().filter(|line| line.starts_with('{'));
    for (number, line) in objects.step_by(3).enumerate() {
        fs::write(folder.join(number.to_string()), format!("1{line}\n{line}\n"))?;
    }
    let journal = r#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1778025600000000","_PID":"4",
        "MESSAGE":[80,111,111,108,32,116,105,109,101,100,32,111,117,116],"_HOSTNAME":null}"#;
    let compact = journal.replace("\n        ", "");
    let forms = [
        ("compact", format!("0{compact}\n{compact}\n")),
        ("pretty", format!("2{}\n", compact.replace(',', ",\n\t"))),
        ("sse", format!("2data: {compact}\n\ndata: {compact}\n\n")),
        ("seq", format!("2\u{1e}{compact}\n\u{1e}{compact}\n")),
    ];
    for (name, text) in forms {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

fn texts(folder: &Path, lines: &[String]) -> io::Result<()> {
    for (number, some) in lines.chunks(4).step_by(4).enumerate() {
        fs::write(folder.join(number.to_string()), some.join("\n"))?;
    }
    let heads = [
        "May  6 04:50:00 db1 api[42]: ",
        "2026-05-06T04:50:00+02:00 db1 api[42]: ",
        "2026-05-06 04:49:00,123 INFO app ",
        "[06/May/2026:04:52:00 +0000] ",
        "2026-05-06T04:54:00.669794202Z stdout P ",
        "1778025600.123 ",
        "Wed 2026-05-06 04:49:00 UTC [s=a;i=1;t=5]\n    MESSAGE=",
        "<34>1 2026-05-06T04:50:00Z db1 api 42 - - ",
    ];
    for (number, head) in heads.iter().enumerate() {
        let text = format!(
            "{head}ok\n{head}status 503\n  more\n{head}couldn't get a connection after 30 sec\n\
             Traceback (most recent call last):\n  File \"a.py\"\nError: x\n{head}end\n"
        );
        fs::write(folder.join(format!("head-{number}")), &text)?;
        if number == 0 {
            fs::write(folder.join("zstd"), zstd::bulk::compress(text.as_bytes(), 3)?)?;
            let wide: Vec<u8> =
                format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
            fs::write(folder.join("utf-16"), wide)?;
        }
    }
    Ok(())
}

fn rule_files(folder: &Path) -> io::Result<()> {
    let builtin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/rules/builtin");
    for file in fs::read_dir(builtin)? {
        let path = file?.path();
        let text = fs::read_to_string(&path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // One rule a file, so that a change to it is a change to much of it.
        for (number, rule) in text.split("[[rule]]").skip(1).enumerate() {
            fs::write(folder.join(format!("{name}-{number}")), format!("[[rule]]{rule}"))?;
        }
    }
    fs::write(folder.join("disable"), "disable = [\"a\"]\n")
}
