//! A few lines on a terminal that are drawn again in their place.

use std::io::{self, Write};

use rustix::termios::tcgetwinsize;

/// What a terminal that does not say its size has.
const USUAL_ROWS: u16 = 24;
/// Lines that are too long are cut by the terminal: wrapped, they would take more rows than they
/// count for.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// The lines that were drawn last. The cursor stands below them.
#[derive(Default)]
pub(super) struct Screen {
    lines: usize,
    size: Option<(u16, u16)>,
}

impl Screen {
    /// How many lines can be drawn above the cursor's.
    pub(super) fn max_lines() -> usize {
        let size = tcgetwinsize(io::stdout()).ok();
        let rows = size.map(|size| size.ws_row).filter(|&rows| rows > 0).unwrap_or(USUAL_ROWS);
        usize::from(rows).saturating_sub(1).max(1)
    }

    /// Draws `text` in place of what was drawn before.
    pub(super) fn draw(&mut self, text: &str) -> io::Result<()> {
        let mut out = self.start();
        out.push_str(NO_WRAP);
        self.lines = 0;
        for line in text.lines() {
            out.push_str(line);
            out.push_str(CLEAR_LINE);
            out.push('\n');
            self.lines += 1;
        }
        out.push_str(CLEAR_BELOW);
        out.push_str(WRAP);
        write(&out)
    }

    /// Takes away what was drawn: the cursor stands where it began.
    pub(super) fn wipe(&mut self) -> io::Result<()> {
        let mut out = self.start();
        // Line by line: when all of the screen is cleared at once, terminals keep a copy.
        let lines = std::mem::take(&mut self.lines);
        if lines > 0 && !out.is_empty() {
            (0..lines).for_each(|_| out.push_str("\x1b[K\n"));
            out.push_str(CLEAR_LINE);
            out.push_str(&up(lines));
        }
        write(&out)
    }

    /// Moves the cursor to the first line. Where the terminal's size has changed nobody knows how
    /// its lines have moved: then drawing begins on an empty screen.
    fn start(&mut self) -> String {
        let size = tcgetwinsize(io::stdout()).ok().map(|size| (size.ws_row, size.ws_col));
        let has_changed = size != self.size && self.lines > 0;
        self.size = size;
        match self.lines {
            0 => String::new(),
            _ if has_changed => "\x1b[H\x1b[J".to_owned(),
            lines => up(lines),
        }
    }
}

fn up(lines: usize) -> String {
    format!("\r\x1b[{lines}A")
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
