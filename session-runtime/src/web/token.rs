//! What a client holds, and the key that a store holds for it.

use sha2::{Digest, Sha256};

/// The characters of tokens and keys: six bits each, and none that a header, a URL or a Redis key treats specially.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters of the tag, which stands before the secret and survives renewals.
const TAG: usize = 4;

/// The characters of the secret: 258 random bits.
const SECRET: usize = 43;

const LEN: usize = TAG + SECRET;

/// The part of a key that survives [`WebSession::renew`](super::WebSession::renew).
///
/// In a Redis Cluster a session can move only to a key of the same slot, so give this to
/// `RedisOptions::slots(Slots::By(slot_of))`: sessions then spread over all nodes, and each renewal works.
///
/// ```
/// use session_runtime::axum::slot_of;
///
/// assert_eq!(slot_of("tagdUT81_xV2H0-..."), "tagd");
/// ```
#[must_use]
pub fn slot_of(key: &str) -> &str {
    key.get(..TAG).unwrap_or_default()
}

/// A client's claim to a session: a tag and a secret. Whoever has it is that client, so nothing shows it but the
/// header that it travels in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token([u8; LEN]);

impl Token {
    /// A random one.
    pub(crate) fn fresh() -> Self {
        Self(rand::random::<[u8; LEN]>().map(character))
    }

    /// A random one with the same tag.
    pub(crate) fn renewed(&self) -> Self {
        let Self(mut fresh) = Self::fresh();
        fresh[..TAG].copy_from_slice(&self.0[..TAG]);
        Self(fresh)
    }

    /// How many bytes longer the place of an old session is than its id.
    pub(crate) const PLACE: usize = TAG + 1;

    /// The key at which it is noted what became of an old session: its id, behind a tag and a character that no token's
    /// key has.
    pub(crate) fn place_of(id: &str) -> String {
        let hash = Sha256::digest(id);
        let tag: String = hash.iter().take(TAG).map(|&byte| char::from(character(byte))).collect();
        format!("{tag}:{id}")
    }

    /// A random one with the tag of such a place.
    pub(crate) fn following(place: &str) -> Self {
        let Self(mut fresh) = Self::fresh();
        for (to, from) in fresh.iter_mut().zip(slot_of(place).bytes()) {
            *to = from;
        }
        Self(fresh)
    }

    /// What a client sent, if it can be a token.
    #[expect(clippy::needless_bitwise_bool, reason = "looking at all bytes takes less time than a way out after each")]
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text: [u8; LEN] = text.try_into().ok()?;
        let is_sound = |&byte: &u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_');
        text.iter().map(is_sound).fold(true, |all, one| all & one).then_some(Self(text))
    }

    /// What the store sees: the tag, and a hash from which nobody finds the token. Its comparison takes as long as it
    /// takes, because what is compared is no secret.
    pub(crate) fn key(&self) -> String {
        let mut key = [0; LEN];
        let (tag, hash) = key.split_at_mut(TAG);
        tag.copy_from_slice(&self.0[..TAG]);
        for (four, three) in hash.chunks_mut(4).zip(Sha256::digest(self.0).chunks(3)) {
            let bits = three.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
            for (place, to) in four.iter_mut().enumerate() {
                *to = character((bits >> (18 - 6 * place)).to_le_bytes()[0]);
            }
        }
        Self(key).text().to_owned()
    }

    /// What the client is sent.
    pub(crate) fn text(&self) -> &str {
        // It was made of ASCII characters, or checked to be.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The character for the lower six bits.
fn character(bits: u8) -> u8 {
    ALPHABET[usize::from(bits % 64)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was_sent() {
        let token = Token::fresh();
        assert!(Token::parse(token.text().as_bytes()) == Some(token.clone()));
        assert!(token != Token::fresh());
    }

    #[test]
    fn what_was_not_made_here_is_no_token() {
        let sound = Token::fresh().text().to_owned();
        let long = format!("{sound}A");
        for wrong in ["", "x", &sound[1..], &long, &sound.replace(&sound[5..6], "="), &"é".repeat(LEN)] {
            assert!(Token::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_the_tag_and_the_sha_256_of_the_token() {
        let token = Token::parse(b"tag0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("a token");
        assert_eq!(token.key(), "tag057_MUPEmho4-Rs6DKgda3Zh73dAGpIU4MIfZffqEAtc");
        assert_eq!(slot_of(&token.key()), "tag0");
    }

    #[test]
    fn a_renewed_token_shares_the_tag_and_nothing_else() {
        let token = Token::fresh();
        let renewed = token.renewed();
        assert_eq!(slot_of(&token.key()), slot_of(&renewed.key()));
        assert_ne!(token.text()[TAG..], renewed.text()[TAG..]);
        assert_ne!(token.key()[TAG..], renewed.key()[TAG..]);
    }
}
