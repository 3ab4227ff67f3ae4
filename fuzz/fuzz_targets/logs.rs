#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| session_examples::replay::log::fuzz::read(bytes));
