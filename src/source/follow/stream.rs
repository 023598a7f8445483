//! Standard input or a pipe that is followed: a thread waits for its bytes, so that nothing else
//! has to.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Instant, SystemTime};

use super::text_file::SETTLED_AFTER;
use crate::source::discover::STDIN;
use crate::source::text::growing::{Growing, More, Pause};
use crate::source::{Query, Sink, Summary};
use crate::time::Timestamp;

const PIECE_BYTES: usize = 64 << 10;
/// So many pieces wait to be read; the writer waits then.
const MAX_WAITING: usize = 16;

/// A stream between two readings.
pub(super) struct Stream {
    text: Growing,
    pieces: Receiver<io::Result<Vec<u8>>>,
    ready: Vec<u8>,
    error: Option<io::Error>,
    grown: Instant,
    has_settled: bool,
    has_ended: bool,
    is_first: bool,
}

impl Stream {
    /// Opens the stream; its first bytes come later.
    pub(super) fn open(path: &Path) -> Self {
        let (sender, pieces) = sync_channel(MAX_WAITING);
        let own = path.to_owned();
        // The thread ends with the stream, or with the program. It opens the stream, too: a named
        // pipe takes until somebody writes to it.
        std::thread::spawn(move || match open(&own) {
            Ok(input) => pass_on(input, &sender),
            // Who receives nothing any more needs no reason.
            Err(error) => drop(sender.send(Err(error))),
        });
        Self {
            text: Growing::new(path),
            pieces,
            ready: Vec::new(),
            error: None,
            grown: Instant::now(),
            has_settled: false,
            has_ended: false,
            is_first: true,
        }
    }

    pub(super) fn summary(&self) -> &Summary {
        self.text.summary()
    }

    /// Whether nothing more will come and all was read.
    pub(super) fn is_over(&self) -> bool {
        self.has_ended
    }

    /// Takes what has come. Returns whether there is something to be done.
    pub(super) fn look(&mut self) -> bool {
        let mut is_over = false;
        while self.ready.len() < MAX_WAITING * PIECE_BYTES {
            match self.pieces.try_recv() {
                Ok(Ok(piece)) => self.ready.extend_from_slice(&piece),
                Ok(Err(error)) => self.error = Some(error),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    is_over = true;
                    break;
                }
            }
        }
        let has_grown = !self.ready.is_empty();
        if has_grown {
            self.grown = Instant::now();
            self.has_settled = false;
        }
        let is_quiet = !has_grown && !self.has_settled && self.grown.elapsed() >= SETTLED_AFTER;
        let settles = is_quiet && self.text.is_waiting();
        self.has_settled |= settles;
        self.has_ended |= is_over;
        has_grown || settles || is_over
    }

    /// Reads what the last look took.
    pub(super) fn read_on(&mut self, query: &Query<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        let ready = std::mem::take(&mut self.ready);
        if std::mem::take(&mut self.is_first) && Growing::is_encoded(&ready) {
            self.has_ended = true;
            let problem = "compressed or in UTF-16, which cannot be followed; decode it before";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let pause = match (self.has_ended, self.has_settled) {
            (true, _) => Pause::End,
            (false, true) => Pause::Long,
            (false, false) => Pause::Short,
        };
        query.progress.add(ready.len() as u64);
        self.read(ready, pause, query, sink)?;
        self.error.take().map_or(Ok(()), Err)
    }

    /// Takes what is left for whole.
    pub(super) fn finish(&mut self, query: &Query<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        self.read(Vec::new(), Pause::End, query, sink)
    }

    fn read(
        &mut self,
        ready: Vec<u8>,
        pause: Pause,
        query: &Query<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let modified = Timestamp::from_utc(SystemTime::now().into()).unwrap_or(Timestamp::MIN);
        let more = More { bytes: Box::new(Cursor::new(ready)), whole: None, modified, pause };
        self.text.read_on(more, query, sink)
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if path == Path::new(STDIN) {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

fn pass_on(mut input: Box<dyn Read + Send>, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let piece = match input.read(&mut piece) {
            Ok(0) => return,
            Ok(length) => {
                piece.truncate(length);
                Ok(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let has_failed = piece.is_err();
        if sender.send(piece).is_err() || has_failed {
            return;
        }
    }
}
