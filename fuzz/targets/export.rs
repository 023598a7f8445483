//! The reader of `journalctl -o export`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // This line makes it an export, whatever follows.
    ebbline_fuzz::check_text(&[b"__REALTIME_TIMESTAMP=1778025600000000\n", bytes].concat());
});
