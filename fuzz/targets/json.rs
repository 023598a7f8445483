//! The readers of JSON: of `journalctl -o json` and its variants, and of programs' own lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses one of the two readers, which the first line then decides for.
    let Some((choice, rest)) = bytes.split_first() else { return };
    let first: &[u8] = match choice % 3 {
        0 => b"{\"__REALTIME_TIMESTAMP\":\"1778025600000000\",\"MESSAGE\":\"ok\"}\n",
        1 => b"{\"time\":\"2026-05-06T00:00:00Z\",\"level\":\"info\",\"msg\":\"ok\"}\n",
        _ => b"",
    };
    ebbline_fuzz::check_text(&[first, rest].concat());
});
