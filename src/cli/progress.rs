//! The progress bar of a long read: on stderr, on a terminal only, gone when the reading is.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::When;
use crate::source::Progress;

/// What is over sooner needs no bar.
const DELAY: Duration = Duration::from_millis(400);
const REFRESH: Duration = Duration::from_millis(100);

/// Runs `work` with a bar that shows how many of `total_bytes` have been read.
pub(super) fn with_bar<T>(
    when: When,
    quiet: bool,
    total_bytes: u64,
    progress: &Progress,
    work: impl FnOnce() -> T,
) -> T {
    let wanted = match when {
        When::Always => true,
        When::Never => false,
        When::Auto => !quiet && std::io::stderr().is_terminal(),
    };
    if !wanted {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let painter = scope.spawn(|| paint(total_bytes, progress, &done));
        let result = work();
        done.store(true, Ordering::Relaxed);
        painter.thread().unpark();
        result
    })
}

fn paint(total_bytes: u64, progress: &Progress, done: &AtomicBool) {
    std::thread::park_timeout(DELAY);
    if done.load(Ordering::Relaxed) {
        return;
    }
    let target = ProgressDrawTarget::stderr();
    let bar = match total_bytes {
        0 => ProgressBar::with_draw_target(None, target),
        _ => ProgressBar::with_draw_target(Some(total_bytes), target),
    };
    let template = match total_bytes {
        0 => "{spinner} {bytes} read, {bytes_per_sec}",
        _ => "[{bar:24}] {bytes} of {total_bytes}, {eta} left",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    while !done.load(Ordering::Relaxed) {
        bar.set_position(progress.bytes());
        std::thread::park_timeout(REFRESH);
    }
    bar.finish_and_clear();
}
