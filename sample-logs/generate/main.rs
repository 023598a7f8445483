//! Writes the sample outage to standard output, in the journal's export format.
//!
//! `make samples` turns it into the journal and the text logs of `sample-logs/outage-2026-05/`.

mod sample;

use std::io::{self, BufWriter, Write};

fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for entry in sample::entries() {
        entry.export(&mut out)?;
    }
    out.flush()
}
