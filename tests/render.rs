//! What the renderers make of the post-mortem's outage, and of hostile and awkward reports.
#![allow(clippy::unwrap_used)]

mod outage;

use std::io;

use ebbline::render::table::Style;
use ebbline::render::{csv, json, markdown, ndjson, table};
use ebbline::timeline::fold::Folding;

fn text(render: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    render(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn look() {
    let report = outage::outage_report();
    for (width, color, unicode) in
        [(80, true, true), (120, false, true), (60, false, false), (30, false, true)]
    {
        let style = Style { width, color, unicode };
        println!("{}", text(|out| table::render(&report, Folding::QuietRuns, style, out)));
    }
    println!("{}", text(|out| markdown::render(&report, Folding::QuietRuns, out)));
    println!("{}", text(|out| csv::render(&report, out)));
    println!("{}", text(|out| json::render(&report, out)));
    println!("{}", text(|out| ndjson::render(&report, out)).lines().next().unwrap());
}
