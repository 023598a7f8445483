//! Spikes: what is over within a minute is no incident, however many events it had.
//!
//! A single bad client makes one now and then. Its minute says nothing about the service, neither
//! about what is usual nor about what is wrong.

use std::ops::{Range, RangeInclusive};

use super::{LEAST_DURATION_MS, MAX_PAUSE_MINUTES, MinuteCount, evidence};

/// The spikes that have nothing to do with what is around them, in the order of time.
pub(super) fn lone_spikes(minutes: &[MinuteCount]) -> Vec<RangeInclusive<usize>> {
    let mut lone = Vec::new();
    let mut chain: Vec<RangeInclusive<usize>> = Vec::new();
    for spike in spikes(minutes) {
        let is_near =
            |last: &RangeInclusive<usize>| spike.start() - last.end() <= MAX_PAUSE_MINUTES + 1;
        if !chain.last().is_some_and(is_near) {
            lone.append(&mut unless_of_an_incident(minutes, chain));
            chain = Vec::new();
        }
        chain.push(spike);
    }
    lone.append(&mut unless_of_an_incident(minutes, chain));
    lone
}

/// Three spikes in a row are no chance, nor are those that have as many events around them.
fn unless_of_an_incident(
    minutes: &[MinuteCount],
    spikes: Vec<RangeInclusive<usize>>,
) -> Vec<RangeInclusive<usize>> {
    let (Some(first), Some(last)) = (spikes.first(), spikes.last()) else { return spikes };
    let around = first.start().saturating_sub(MAX_PAUSE_MINUTES + 1);
    let all = events(minutes, around..last.end() + MAX_PAUSE_MINUTES + 2);
    let own: u64 =
        spikes.iter().map(|spike| events(minutes, *spike.start()..spike.end() + 1)).sum();
    if spikes.len() >= 3 || 3 * own < 2 * all { Vec::new() } else { spikes }
}

/// One minute or two neighbouring ones that have many events in a short time, and few around.
fn spikes(minutes: &[MinuteCount]) -> Vec<RangeInclusive<usize>> {
    const LEAST_EVENTS: u64 = 4;
    const AROUND: usize = 3;
    let mut spikes = Vec::new();
    let mut at = 0;
    while let Some(minute) = minutes.get(at) {
        if minute.events < LEAST_EVENTS / 2 {
            at += 1;
            continue;
        }
        let here = minute.events;
        let both = events(minutes, at..at + 2);
        let after = if 10 * here >= 9 * both { at + 1 } else { at + 2 };
        let dense = if after == at + 1 { here } else { both };
        let around =
            events(minutes, at.saturating_sub(AROUND)..at) + events(minutes, after..after + AROUND);
        let is_many = dense >= LEAST_EVENTS;
        let inside = minutes.get(at..after.min(minutes.len())).unwrap_or_default();
        if is_many && 4 * around <= dense && duration_ms(inside) < LEAST_DURATION_MS {
            spikes.push(at..=after - 1);
            at = after;
        } else {
            at += 1;
        }
    }
    spikes
}

/// The events of some minutes, as far as they exist.
pub(super) fn events(minutes: &[MinuteCount], range: Range<usize>) -> u64 {
    let inside = minutes.get(range.start..range.end.min(minutes.len())).unwrap_or_default();
    inside.iter().map(|minute| minute.events).sum()
}

/// From the first event to the last.
pub(super) fn duration_ms(minutes: &[MinuteCount]) -> u64 {
    match minutes {
        [first, .., last] => {
            (minutes.len() as u64 - 1) * 60_000 + u64::from(last.last_ms)
                - u64::from(first.first_ms)
        }
        [only] => u64::from(only.last_ms) - u64::from(only.first_ms),
        [] => 0,
    }
}

/// Whether all but two neighbouring minutes have hardly more than is usual: a spike, with usual
/// events around it.
pub(super) fn is_one_spike(minutes: &[MinuteCount], expected: f64) -> bool {
    /// How much likelier, in nats, the rest must be bad than normal to be more than a rest.
    const LEAST_EVIDENCE: f64 = 6.0;
    /// How dense the rest must be for that, compared with the densest minutes.
    const LEAST_DENSITY: f64 = 0.3;
    let all = events(minutes, 0..minutes.len()) as f64;
    let length = if minutes.len() > 2 { 2 } else { 1 };
    let in_pair = |pair: &[MinuteCount]| events(pair, 0..length);
    let densest = minutes.windows(length).map(in_pair).max().unwrap_or(0) as f64;
    let rest_minutes = minutes.len().saturating_sub(length).max(1) as f64;
    let rest = all - densest;
    let usual = expected * rest_minutes / minutes.len().max(1) as f64;
    let density = rest / rest_minutes / (densest / length as f64).max(1.0);
    evidence(rest, usual) < LEAST_EVIDENCE && density < LEAST_DENSITY
}
