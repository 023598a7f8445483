"""Compares the windows that ebbline finds with two other ways to cut a series of counts.

Bayesian blocks (Scargle et al. 2013, astropy) cut the events where their rate changes, PELT
(Killick et al. 2012, ruptures) the square roots of the counts of minutes where their mean does.
Neither knows of traffic, spikes and pauses, so what differs for these reasons is told apart.

Reads a line of JSON for each series, {"name", "entries", "events", "windows", "spikes"}, the last
two as lists of [first minute, last minute]. Prints what agrees, and fails below LEAST_AGREEMENT.
"""

import json
import sys

import numpy as np
import ruptures
from astropy.stats import bayesian_blocks

LEAST_AGREEMENT = 0.9
# A segment is elevated from this multiple of the usual rate up, with so many events.
ELEVATED = 5.0
LEAST_EVENTS = 20
# An edge agrees within so many minutes, or so many mean distances of events.
NEAR_MINUTES = 3.0
NEAR_GAPS = 5.0


def blocks(events):
    """The minutes at which Bayesian blocks begin."""
    at = np.flatnonzero(events)
    if len(at) < 3:
        return np.array([])
    return bayesian_blocks(at + 0.5, events[at], fitness="events", p0=0.01)


def pelt(events):
    """The minutes at which PELT's segments begin."""
    signal = np.sqrt(events.astype(float))
    # The square root of a Poisson count varies by a quarter, or by less where there are few.
    variance = min(0.25, max(signal.var(), 1e-3))
    search = ruptures.KernelCPD(kernel="linear", min_size=2).fit(signal.reshape(-1, 1))
    return np.array(search.predict(pen=4 * np.log(len(signal)) * variance)[:-1])


def edges_agree(series, changes):
    """For both edges of each window of many events: whether a change is near."""
    for first, last in series["windows"]:
        events = series["events"][first : last + 1].sum()
        if events < LEAST_EVENTS:
            continue
        near = max(NEAR_MINUTES, NEAR_GAPS * (last + 1 - first) / events)
        for edge in (first, last + 1):
            is_at_end = edge <= near or edge >= len(series["events"]) - near
            yield is_at_end or (len(changes) > 0 and np.abs(changes - edge).min() <= near)


def segments_agree(series, changes):
    """For each elevated segment: whether a window or a spike has most of its events."""
    events, entries = series["events"], series["entries"]
    known = np.zeros(len(events), dtype=bool)
    for first, last in series["windows"] + series["spikes"]:
        known[first : last + 1] = True
    calm = ~known & (entries > 0)
    others = np.maximum(entries - events, 0)
    rate = max(events[calm].sum() / max(calm.sum(), 1), 1 / 2880)
    share = events[calm].sum() / max(others[calm].sum(), 1)
    bounds = np.unique(np.concatenate([[0], np.round(changes), [len(events)]])).astype(int)
    for first, end in zip(bounds, bounds[1:]):
        inside = events[first:end]
        follows_traffic = inside.sum() < ELEVATED * share * others[first:end].sum()
        is_elevated = inside.sum() >= max(LEAST_EVENTS, ELEVATED * rate * (end - first))
        if is_elevated and not follows_traffic:
            yield bool(inside[known[first:end]].sum() >= inside.sum() / 2)


def main():
    agreed = {}
    for line in sys.stdin:
        series = json.loads(line)
        series["events"] = np.array(series["events"])
        series["entries"] = np.array(series["entries"])
        for oracle in (blocks, pelt):
            changes = oracle(series["events"])
            for question in (edges_agree, segments_agree):
                answers = list(question(series, changes))
                name = f"{oracle.__name__}: {question.__name__}"
                agreed.setdefault(name, []).extend(answers)
                if not all(answers):
                    print("differs:", name, series["name"], answers, file=sys.stderr)
    is_low = False
    for name, answers in agreed.items():
        share = sum(answers) / max(len(answers), 1)
        print(f"{name}: {sum(answers)} of {len(answers)}")
        is_low |= share < LEAST_AGREEMENT or not answers
    sys.exit(is_low)


main()
