//! The readers of text, behind every kind of compression: what it is, is for its bytes to say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebbline_fuzz::check_text(bytes));
