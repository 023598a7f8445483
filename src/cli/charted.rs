//! What a chart of a timeline needs: counts and pool snapshots, from one reading.

use std::ops::ControlFlow;

use super::Console;
use super::args::SourceArgs;
use super::ask::{Answer, Ask, Besides};
use super::error::CliError;
use super::rules;
use super::telling::Damaged;
use crate::rules::{Classifier, POOL_SNAPSHOT, RuleSet};
use crate::series::{Budget, Collected, Readers, Series, SeriesSink};
use crate::source::scan::Outcome;
use crate::source::{Damage, DamageList, Detail, Event, FoundChange, Merge, Remark, Sink};
use crate::tally::TallySink;
use crate::time::Minute;

/// So many points are kept, which take 160 MB.
const MAX_POINTS: u64 = 4_000_000;

/// A sink that tells two others everything, so that both count events alike.
struct Both<'t, 's> {
    tally: TallySink<'t>,
    series: SeriesSink<'s>,
}

/// A question that finds pool snapshots beside failures and changes.
pub(super) fn ask<'a>(args: &'a SourceArgs, console: &'a Console) -> Result<Ask<'a>, CliError> {
    Ask::with_rules(args, console, rules::load(&args.rules)?, Besides::Changes)
}

/// Reads counts, as `new_sink` wants them, and the series of all pools. The rules are those of the
/// question.
pub(super) fn read<'s>(
    ask: &mut Ask<'_>,
    rules: &RuleSet,
    new_sink: impl Fn(&Classifier, usize) -> TallySink<'s> + Sync,
) -> Result<(Answer<TallySink<'s>>, Vec<Series>), CliError> {
    let asked = Classifier::new(rules.clone());
    let snapshots = Classifier::new(rules.clone().only(|class| class == POOL_SNAPSHOT));
    let budget = Budget::of_points(MAX_POINTS);
    let readers = Readers { asked: &asked, snapshots: &snapshots, wanted: None, budget: &budget };
    let both = |classifier: &Classifier, place| Both {
        tally: new_sink(classifier, place),
        series: SeriesSink::new(&readers),
    };
    let answer = ask.read(Detail::Entries, both)?;
    let mut collected = Collected::default();
    let mut outcomes = Vec::with_capacity(answer.outcomes.len());
    for outcome in answer.outcomes {
        let Outcome { summary, sink, repeats, copy_of, failure } = outcome;
        let mut own = sink.series.collected;
        if let Some(repeats) = &repeats {
            own.leave_out(repeats, rules);
        }
        collected.merge(own);
        outcomes.push(Outcome { summary, sink: sink.tally, repeats, copy_of, failure });
    }
    Ok((Answer { outcomes, has_failed: answer.has_failed }, collected.into_series()))
}

impl Damaged for Both<'_, '_> {
    fn damage(&self) -> &DamageList {
        &self.tally.damage
    }
}

impl Merge for Both<'_, '_> {
    fn merge(&mut self, later: Self, lines_before: u64) {
        self.tally.merge(later.tally, lines_before);
        self.series.merge(later.series, lines_before);
    }
}

impl Sink for Both<'_, '_> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.tally.entries(minute, count);
        self.series.entries(minute, count);
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self.tally.event(event)?;
        self.series.event(event)
    }

    fn damage(&mut self, damage: Damage) {
        Sink::damage(&mut self.tally, damage);
    }

    fn remark(&mut self, remark: Remark) {
        self.tally.remark(remark);
    }

    fn change(&mut self, change: FoundChange) {
        self.tally.change(change);
    }
}
