//! The native reader of journal files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebbline_fuzz::check_journal(bytes));
