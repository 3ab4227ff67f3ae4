//! Which node of a cluster holds which keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error;
use super::resp::{Request, Value};
use super::server::{Access, Server};
use super::socket::Place;
use crate::store::StoreError;

const SLOTS: u16 = 16_384;

#[derive(Debug)]
pub(super) struct Cluster {
    access: Arc<Access>,
    seeds: Vec<Place>,
    nodes: Mutex<Nodes>,
    /// Held by whoever asks for the slots.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Nodes {
    /// All that were heard of; each keeps its connection.
    known: Vec<Arc<Server>>,
    /// The last slot of each range, in order, and who holds it.
    ranges: Vec<(u16, Arc<Server>)>,
    /// Counts the times that the slots were asked for.
    edition: u64,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Place>, access: Arc<Access>) -> Self {
        Self { access, seeds, nodes: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// The node that holds a key, as far as is known.
    pub(super) async fn node(&self, key: &[u8]) -> Result<Arc<Server>, StoreError> {
        let slot = slot(key);
        if let Some(node) = self.nodes().holder(slot) {
            return Ok(node);
        }
        self.refresh(None).await?;
        self.nodes().holder(slot).ok_or_else(error::no_node)
    }

    /// The node at an address that another one named.
    pub(super) fn node_at(&self, place: Place) -> Arc<Server> {
        self.nodes().at(place, &self.access)
    }

    /// The nodes that hold keys.
    pub(super) async fn masters(&self) -> Result<Vec<Arc<Server>>, StoreError> {
        self.refresh(None).await?;
        let mut masters: Vec<Arc<Server>> = Vec::new();
        for (_, node) in &self.nodes().ranges {
            if !masters.iter().any(|known| Arc::ptr_eq(known, node)) {
                masters.push(node.clone());
            }
        }
        Ok(masters)
    }

    /// Asks the nodes, one after another until one answers, who holds which slots now: last the one that just failed.
    pub(super) async fn refresh(&self, failed: Option<&Arc<Server>>) -> Result<(), StoreError> {
        let edition = self.nodes().edition;
        let _asking = self.asking.lock().await;
        if self.nodes().edition != edition {
            return Ok(());
        }
        let mut candidates: Vec<Arc<Server>> = self.nodes().known.clone();
        candidates.extend(self.seeds.iter().map(|seed| self.node_at(seed.clone())));
        candidates.sort_by_key(|node| failed.is_some_and(|failed| Arc::ptr_eq(failed, node)));
        let mut failure = None;
        for node in candidates {
            let answer = match node.send(&Request::of(&[b"CLUSTER", b"SLOTS"])).await {
                Ok(answer) => answer,
                Err(unanswered) => {
                    failure = Some(error::from_failure(unanswered));
                    continue;
                }
            };
            match answer.into_iter().next() {
                Some(Value::List(slots)) if !slots.is_empty() => {
                    let ranges =
                        slots.into_iter().map(|range| range_of(range, &node.place).ok_or_else(error::unexpected));
                    let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
                    self.nodes().replace(ranges, &self.access);
                    return Ok(());
                }
                Some(Value::Error(text)) => failure = Some(error::from_engine(&text)),
                _ => failure = Some(error::no_node()),
            }
        }
        Err(failure.unwrap_or_else(error::no_node))
    }

    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes {
    fn holder(&self, slot: u16) -> Option<Arc<Server>> {
        let at = self.ranges.partition_point(|(last, _)| *last < slot);
        self.ranges.get(at).map(|(_, node)| node.clone())
    }

    fn at(&mut self, place: Place, access: &Arc<Access>) -> Arc<Server> {
        if let Some(node) = self.known.iter().find(|node| node.place == place) {
            return node.clone();
        }
        let node = Arc::new(Server::new(place, access.clone()));
        self.known.push(node.clone());
        node
    }

    /// Takes over who holds which slots. Nodes that left are forgotten, with their connections.
    fn replace(&mut self, mut ranges: Vec<(u16, Place)>, access: &Arc<Access>) {
        ranges.sort_by_key(|(last, _)| *last);
        self.ranges = ranges.into_iter().map(|(last, place)| (last, self.at(place, access))).collect();
        self.known.retain(|node| self.ranges.iter().any(|(_, holder)| Arc::ptr_eq(holder, node)));
        self.edition += 1;
    }
}

/// The last slot of a range and its holder. A slot that nobody holds is asked from the holder of the next range, who
/// says that nobody does.
pub(super) fn range_of(range: Value, asked: &Place) -> Option<(u16, Place)> {
    let Value::List(range) = range else { return None };
    let [Value::Number(_), Value::Number(last), Value::List(master), ..] = &range[..] else { return None };
    let last = u16::try_from(*last).ok().filter(|last| *last < SLOTS)?;
    let [host, Value::Number(port), ..] = &master[..] else { return None };
    let host = match (host, asked) {
        (Value::Bytes(host), _) if !host.is_empty() => String::from_utf8(host.to_vec()).ok()?,
        // A node that does not know its own name is where it was found.
        (_, Place::Host(host, _)) => host.clone(),
        (_, Place::File(_)) => return None,
    };
    Some((last, Place::Host(host, u16::try_from(*port).ok()?)))
}

/// The address in `MOVED 3999 127.0.0.1:6381` or `ASK 3999 127.0.0.1:6381`.
pub(super) fn redirection(text: &[u8], asked: &Place) -> Option<Place> {
    let address = std::str::from_utf8(text).ok()?.split(' ').nth(2)?;
    let (host, port) = address.rsplit_once(':')?;
    let host = match asked {
        Place::Host(same, _) if host.is_empty() => same.as_str(),
        _ => host,
    };
    Some(Place::Host(host.to_owned(), port.parse().ok()?))
}

/// The slot of a key: of what stands in its first braces, if that is not empty.
fn slot(key: &[u8]) -> u16 {
    let tag = || {
        let start = key.iter().position(|byte| *byte == b'{')? + 1;
        let rest = key.get(start..)?;
        rest.get(..rest.iter().position(|byte| *byte == b'}')?).filter(|tag| !tag.is_empty())
    };
    crc16(tag().unwrap_or(key)) % SLOTS
}

/// The checksum that the engine uses: CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte) << 8, |sum, _| if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_engine() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        // As `CLUSTER KEYSLOT` answers.
        for (key, expected) in
            [("foo", 12_182), ("somekey", 11_058), ("foo{hash_tag}", 2_515), ("bar{hash_tag}", 2_515)]
        {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
        assert_eq!(slot(b"x{}y{z}"), crc16(b"x{}y{z}") % SLOTS);
    }

    #[test]
    fn a_redirection_names_a_node_or_the_same_host() {
        let asked = Place::Host("here".into(), 1);
        let at = |host: &str, port| Some(Place::Host(host.into(), port));
        assert_eq!(redirection(b"MOVED 3999 127.0.0.1:6381", &asked), at("127.0.0.1", 6381));
        assert_eq!(redirection(b"ASK 3999 ::1:6381", &asked), at("::1", 6381));
        assert_eq!(redirection(b"MOVED 3999 :6381", &asked), at("here", 6381));
        assert_eq!(redirection(b"MOVED 3999", &asked), None);
    }
}
