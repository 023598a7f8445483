//! Numbers that lie on purpose: every field of the header and of each kind of object, with sizes
//! too small and too large, offsets to nowhere, to the object itself and backwards.
//!
//! By default every 37th of these lies is told; `EBBLINE_LIES=1` tells every one.

use crate::damaged::setting;
use crate::patients::{Patient, patients};
use crate::reader::Readers;

/// The header's fields are numbers of 8 bytes from here to the end of the newest header.
const HEADER_NUMBERS: std::ops::Range<usize> = 8..272;
/// An object's numbers of 8 bytes, behind its type and flags.
const OBJECT_NUMBERS: std::ops::Range<usize> = 8..80;

/// What a number of the object at `offset` is replaced with.
fn lies(patient: &Patient, offset: usize, truth: u64) -> Vec<u64> {
    let (own, size) = (offset as u64, patient.size as u64);
    vec![
        0,
        1,
        15,
        16,
        64,
        72,
        own,
        own + 8,
        own.saturating_sub(8),
        patient.objects[0] as u64,
        truth ^ 8,
        truth + 8,
        truth << 8,
        size - 8,
        size,
        1 << 31,
        u64::from(u32::MAX),
        1 << 63,
        (1 << 63) - 1,
        u64::MAX,
    ]
}

/// Three objects of each kind: the first, the last and one between.
fn some_objects(patient: &Patient) -> Vec<usize> {
    let mut some = Vec::new();
    for kind in 1..=7 {
        let of_kind: Vec<usize> =
            patient.objects.iter().copied().filter(|&at| patient.original[at] == kind).collect();
        for place in [0, of_kind.len() / 2, of_kind.len().saturating_sub(1)] {
            some.extend(of_kind.get(place));
        }
    }
    some.sort_unstable();
    some.dedup();
    some
}

/// Tells each of its lies, or as many as it shall.
struct Liar {
    readers: Readers,
    turn: u64,
    step: u64,
}

impl Liar {
    fn new() -> Self {
        Self { readers: Readers::start(), turn: 0, step: setting("EBBLINE_LIES", 37) }
    }

    #[track_caller]
    fn tell(&mut self, patient: &Patient, at: usize, lie: &[u8]) {
        self.turn += 1;
        if !self.turn.is_multiple_of(self.step) {
            return;
        }
        let what = format!("{}: {lie:?} at byte {at}", patient.name);
        patient.with(&[(at, lie)], |path| self.readers.compare(path, patient.entries, &what));
    }

    #[track_caller]
    fn tell_numbers(&mut self, patient: &Patient, object: usize, numbers: std::ops::Range<usize>) {
        for at in numbers.step_by(8).map(|number| object + number) {
            let Some(truth) = patient.original.get(at..at + 8) else { continue };
            let truth = u64::from_le_bytes(truth.try_into().unwrap());
            for lie in lies(patient, object, truth) {
                self.tell(patient, at, &lie.to_le_bytes());
            }
        }
    }
}

#[test]
fn no_number_of_a_header_can_lie_entries_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut liar = Liar::new();
    for patient in patients(folder.path()) {
        liar.tell_numbers(&patient, 0, HEADER_NUMBERS);
    }
}

#[test]
fn no_number_of_an_object_can_lie_entries_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut liar = Liar::new();
    for patient in patients(folder.path()) {
        for object in some_objects(&patient) {
            liar.tell_numbers(&patient, object, OBJECT_NUMBERS);
        }
    }
}

#[test]
fn no_type_and_no_flags_of_an_object_can_lie_entries_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut liar = Liar::new();
    for patient in patients(folder.path()) {
        for object in some_objects(&patient) {
            for kind in [0, 1, 2, 3, 5, 6, 7, 8, 255] {
                for flags in [0, 1, 2, 4, 7, 8, 128] {
                    liar.tell(&patient, object, &[kind, flags]);
                }
            }
        }
    }
}
