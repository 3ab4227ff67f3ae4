//! Where a log comes from: a file or standard input, plain or compressed, which is told from its first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::zstd::ZstdReader;

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The longest start that says what a file is.
const LONGEST_MAGIC: u64 = 6;

/// How much memory an xz file may ask for, in KiB: four times what `xz -9` does.
const XZ_MEMORY: u32 = 256 * 1024;

/// Opens a log.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path == Path::new(STANDARD_INPUT) { decoded(io::stdin()) } else { decoded(File::open(path)?) }
}

/// How messages name a log.
pub(in crate::replay) fn name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) { "standard input".to_owned() } else { path.display().to_string() }
}

/// What a source holds, decompressed.
pub(super) fn decoded(mut source: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut start = Vec::new();
    source.by_ref().take(LONGEST_MAGIC).read_to_end(&mut start)?;
    let whole = BufReader::new(Cursor::new(start.clone()).chain(source));
    Ok(match start[..] {
        [0x1f, 0x8b, ..] => Box::new(BufReader::new(MultiGzDecoder::new(whole))),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(BufReader::new(XzReader::new_mem_limit(whole, true, XZ_MEMORY)))
        }
        // A frame, or one that is to be skipped.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Box::new(BufReader::new(ZstdReader::new(whole)))
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is UTF-16; write it anew as UTF-8"));
        }
        _ => Box::new(whole),
    })
}
