//! What the library logs, as a subscriber of `tracing` is told it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// What does not come in this time never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) target: String,
    pub(crate) level: tracing::Level,
    pub(crate) message: String,
    pub(crate) fields: BTreeMap<String, String>,
}

/// The events of one target, in their order, as long as this thread's subscriber is there.
pub(crate) struct Events(Receiver<Event>);

struct Capture {
    target: &'static str,
    events: Sender<Event>,
    /// Called before an event is kept.
    before: fn(&Event),
}

impl Events {
    /// Captures what this thread logs, and what it starts.
    pub(crate) fn of(target: &'static str) -> (Self, DefaultGuard) {
        Self::with(target, |_| {})
    }

    /// The same; `before` is called with each event first, inside of the subscriber.
    pub(crate) fn with(target: &'static str, before: fn(&Event)) -> (Self, DefaultGuard) {
        let (sender, receiver) = channel();
        let capture = Capture { target, events: sender, before };
        let subscriber = tracing_subscriber::registry().with(capture);
        (Self(receiver), tracing::subscriber::set_default(subscriber))
    }

    /// Waits for the next one, also on a thread that runs a runtime, which then stands still.
    pub(crate) fn next(&self) -> Event {
        self.0.recv_timeout(PATIENCE).unwrap()
    }

    /// Those that are there.
    pub(crate) fn so_far(&self) -> Vec<Event> {
        self.0.try_iter().collect()
    }

    /// All the rest, when nothing is left that could log one.
    pub(crate) fn rest(self, subscriber: DefaultGuard) -> Vec<Event> {
        drop(subscriber);
        let mut rest = Vec::new();
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(event) => rest.push(event),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return rest,
                Err(error) => panic!("something still holds the subscriber: {error}"),
            }
        }
    }
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != self.target {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let event = Event {
            target: self.target.to_owned(),
            level: *event.metadata().level(),
            message: fields.0.remove("message").unwrap_or_default(),
            fields: fields.0,
        };
        (self.before)(&event);
        // The test may have ended.
        let _ = self.events.send(event);
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
