//! A sink that listens to the events on their way to another one.

use std::ops::ControlFlow;

use super::{Damage, Event, FoundChange, Remark, Sighting, Sink};
use crate::time::Minute;

/// Is told of each event before the sink that it is meant for.
pub(super) trait Listener {
    /// Takes note of an event.
    fn hear(&mut self, event: &Event<'_>);
}

/// A sink, and who listens.
pub(super) struct Overheard<L, S> {
    pub(super) listener: L,
    pub(super) sink: S,
}

impl<L: Listener, S: Sink> Sink for Overheard<L, S> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.sink.entries(minute, count);
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self.listener.hear(event);
        self.sink.event(event)
    }

    fn sighting(&mut self, sighting: &Sighting<'_>) {
        self.sink.sighting(sighting);
    }

    fn damage(&mut self, damage: Damage) {
        self.sink.damage(damage);
    }

    fn remark(&mut self, remark: Remark) {
        self.sink.remark(remark);
    }

    fn change(&mut self, change: FoundChange) {
        self.sink.change(change);
    }
}
