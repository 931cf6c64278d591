#![no_main]

#[path = "../../tests/src/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = targets::access_unit(data);
});
