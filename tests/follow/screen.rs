//! The table on a terminal: drawn again in its place, and left as a whole at the end. The terminal is
//! tmux.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Folder, pool_timeout_line};

/// A terminal of 80 by 12 that runs a script.
struct Terminal {
    folder: Folder,
}

impl Terminal {
    fn start(folder: Folder, script: &str) -> Self {
        let terminal = Self { folder };
        let binary = env!("CARGO_BIN_EXE_ebbline");
        let script = script.replace("ebbline", binary);
        let start = ["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "12", &script];
        terminal.tmux(&start);
        terminal
    }

    fn tmux(&self, words: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.folder.path().join("tmux"))
            .args(words)
            .current_dir(self.folder.path())
            .env("TZ", "UTC")
            .env_remove("TMUX")
            .env_remove("COLUMNS")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {words:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// All that was ever printed and not overwritten.
    fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-S", "-1000"])
    }

    fn wait_for(&self, what: &str) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            if text.contains(what) {
                return text;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "no `{what}` in:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}

#[test]
fn the_table_is_drawn_in_its_place_and_whole_at_the_end() {
    let folder = Folder::new();
    let line = |minute: u32| pool_timeout_line(&format!("2026-05-06 04:{minute:02}:00,000"));
    let path = folder.write("app.log", (10..40).map(line).collect::<String>());
    let script = "ebbline timeline -f app.log --by minute --all; echo code $?; cat";
    let terminal = Terminal::start(folder, script);
    let text = terminal.wait_for("30 entries, the last at 2026-05-06 04:39:00 UTC");
    // The heading and the last rows, within twelve rows.
    assert!(text.starts_with("Minute "), "{text}");
    assert!(text.contains("May 6 04:39 ") && !text.contains("May 6 04:20 "), "{text}");
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    for minute in 40..43 {
        file.write_all(line(minute).as_bytes()).unwrap();
        let entries = minute - 9;
        let text = terminal.wait_for(&format!("{entries} entries, the last at"));
        assert_eq!(text.matches("Minute ").count(), 1, "{text}");
        assert_eq!(text.matches("the last at").count(), 1, "{text}");
        assert!(text.contains(&format!("May 6 04:{minute} ")), "{text}");
    }
    terminal.tmux(&["send-keys", "C-c"]);
    let text = terminal.wait_for("code 0");
    // What a run without --follow prints, from the first row to the sources.
    assert_eq!(text.matches("Minute ").count(), 1, "{text}");
    for part in ["May 6 04:10 ", "May 6 04:42 ", "Entries    33", "Sources    text"] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

#[test]
fn what_is_said_meanwhile_stands_above_the_table() {
    let folder = Folder::new();
    let line = pool_timeout_line("2026-05-06 04:10:00,000");
    let path = folder.write("app.log", line.clone());
    let terminal = Terminal::start(folder, "ebbline timeline -f app.log; echo code $?; cat");
    terminal.wait_for("1 entry, the last at");
    std::fs::remove_file(&path).unwrap();
    let text = terminal.wait_for("no such file: waiting for it");
    assert!(!text.contains("code"), "{text}");
    std::fs::write(&path, line.repeat(2)).unwrap();
    let text = terminal.wait_for("3 entries, the last at");
    let (above, below) = text.split_once("no such file: waiting for it").unwrap();
    assert!(!above.contains("Day ") && below.contains("Day "), "{text}");
}
