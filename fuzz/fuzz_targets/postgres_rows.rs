#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| session_runtime::store::fuzz::postgres_rows(bytes));
