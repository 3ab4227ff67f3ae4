//! A snapshot (RDB) before the commands, as Redis before version 7 puts it into the same file.

use std::io::{self, BufRead};

/// How one begins.
pub(in super::super) const BEGIN: &[u8] = b"REDIS";

/// What stands before the checksum, but also elsewhere.
const END: u8 = 0xff;
/// How long the checksum is, in bytes.
const CHECKSUM: usize = 8;
/// The polynomial of Jones, as Redis uses it, for bytes whose lowest bit comes first.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let (mut sum, mut bit) = (byte as u64, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

/// The sum of one byte more.
fn step(sum: u64, byte: u8) -> u64 {
    TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ sum >> 8
}

/// Reads past it, and returns whether its end was found: there, a checksum follows of all that precedes it.
pub(super) fn skip(reader: &mut impl BufRead) -> io::Result<bool> {
    let (mut sum, mut last) = (0, 0_u64);
    // Of each of the last bytes, the sum up to it, if the checksum could follow it.
    let mut sums = [None; CHECKSUM];
    let mut at = 0;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(false);
        }
        for (index, byte) in chunk.iter().enumerate() {
            last = last >> 8 | u64::from(*byte) << 56;
            sum = step(sum, *byte);
            let is_end = sums[at] == Some(last);
            sums[at] = (*byte == END).then_some(sum);
            at = (at + 1) % CHECKSUM;
            if is_end {
                reader.consume(index + 1);
                return Ok(true);
            }
        }
        let length = chunk.len();
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn the_sum_is_that_of_redis() {
        let sum = b"123456789".iter().fold(0, |sum, byte| step(sum, *byte));
        assert_eq!(sum, 0xe9c6_d914_c4b8_d9ca);
    }

    /// Of Redis 7.0.15 without keys.
    const SNAPSHOT: &[u8] = b"REDIS0010\xfa\tredis-ver\x067.0.15\xfa\nredis-bits\xc0@\xfa\x05ctime\xc2\x99\xc0\x08k\xfa\x08used-mem\xc2H`\r\0\xfa\x08aof-base\xc0\x01\xff\xb6\xafc\xb0\xa4B\xf0\xa7";

    #[test]
    fn it_ends_behind_the_sum_of_what_precedes_it() {
        let whole = [SNAPSHOT, b"*1\r\n"].concat();
        for capacity in [1, 7, 4096] {
            let mut reader = BufReader::with_capacity(capacity, &whole[..]);
            assert!(skip(&mut reader).expect("bytes"));
            let mut rest = Vec::new();
            io::Read::read_to_end(&mut reader, &mut rest).expect("bytes");
            assert_eq!(rest, b"*1\r\n");
        }
        assert!(!skip(&mut &SNAPSHOT[..SNAPSHOT.len() - 1]).expect("bytes"));
    }
}
