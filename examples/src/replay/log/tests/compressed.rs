//! Files as `gzip`, `xz` and `zstd` write them, and damaged ones.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::super::*;

const FIRST: &[u8] = b"10\t1\tGET\t/a\t200\n";
const SECOND: &[u8] = b"11\t1\tGET\t/b\t200\n";
/// `zstd` of [`FIRST`], with a checksum.
const OF_ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x04\x58\x81\0\x0010\t1\tGET\t/a\t200\n\x91\x1c\x78\x9b";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(0)).expect("known options");
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(content: &[u8]) -> Vec<u8> {
    compress_to_vec(content, CompressionLevel::Fastest)
}

type Encoder = fn(&[u8]) -> Vec<u8>;

const ENCODERS: [Encoder; 3] = [gzip, xz, zstd];

fn read(bytes: Vec<u8>) -> io::Result<Traffic> {
    let mut traffic = Traffic::default();
    traffic.bad_lines = traffic.read_lines(&mut *input::decoded(Cursor::new(bytes))?, 0, Path::new("log"))?;
    Ok(traffic)
}

#[test]
fn compressed_logs_are_told_by_their_content_also_when_they_have_several_parts() {
    for encode in ENCODERS {
        let parts = [encode(FIRST), encode(b""), encode(SECOND)].concat();
        let traffic = read(parts).expect("readable");
        assert_eq!((traffic.requests.len(), traffic.bad_lines.count), (2, 0));
    }
}

#[test]
fn a_large_log_is_decoded_whole() {
    let content: Vec<u8> =
        (0..100_000).flat_map(|at| format!("{at}\t{}\tGET\t/{at}\t200\n", at % 77).into_bytes()).collect();
    for encode in ENCODERS {
        assert_eq!(read(encode(&content)).expect("readable").requests.len(), 100_000);
    }
}

#[test]
fn a_compressed_log_that_is_cut_or_damaged_is_an_error_and_no_panic() {
    let whole = [FIRST, SECOND].concat();
    for encode in ENCODERS {
        let encoded = encode(&whole);
        for len in 7..encoded.len() {
            assert!(read(encoded[..len].to_vec()).is_err(), "cut to {len} of {}", encoded.len());
        }
        for at in 6..encoded.len() {
            for bit in 0..8 {
                let mut damaged = encoded.clone();
                damaged[at] ^= 1 << bit;
                // The name and the time in a header of gzip are not checked.
                let _ = read(damaged);
            }
        }
    }
}

#[test]
fn frames_of_zstd_that_hold_other_things_are_skipped_and_checksums_are_compared() {
    // As `pzstd` writes them.
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"more"].concat();
    let bytes = [&skipped[..], OF_ZSTD, &skipped].concat();
    assert_eq!(read(bytes).expect("readable").requests.len(), 1);
    assert!(read(skipped[..10].to_vec()).is_err());

    let mut damaged = OF_ZSTD.to_vec();
    let at = damaged.windows(2).position(|bytes| bytes == b"GE").expect("too short to be compressed");
    damaged[at] = b'P';
    let error = read(damaged).expect_err("the checksum differs").to_string();
    assert_eq!(error, "its checksum says that it is damaged");
}
