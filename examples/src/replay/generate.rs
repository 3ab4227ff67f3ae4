//! Traffic of a stated distribution, for a replay without a log.

use super::log::Traffic;

/// How traffic is generated. The same distribution gives the same traffic on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution {
    /// Where the random numbers start.
    pub seed: u64,
    /// How many clients there are.
    pub clients: u32,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { seed: 707, clients: 3000 }
    }
}

/// The distribution in words, printed with the report.
pub const DISTRIBUTION: &str = "\
two in three clients are on the web, one in three in a chat
requests per client   50 % 1-4, 30 % 5-20, 18 % 21-100, 1.9 % 101-400, 0.1 % 1000-3000, in random order
web requests          62 % images, styles and scripts, 31 % pages (3 of them status 304), 4 % status 404,
                      2 % redirects, 1 % HEAD; of 200 pages in 12 sections, the first of three draws
chat messages         15 % 1-12 bytes, 85 % 13-200 bytes";

/// How many pages the site has.
const PAGES: u64 = 200;

impl Distribution {
    /// Generates the traffic.
    #[must_use]
    pub fn traffic(self) -> Traffic {
        let mut random = Random(self.seed);
        let mut turns = Vec::new();
        for client in 0..self.clients {
            let requests = requests_of_a_client(&mut random);
            turns.extend((0..requests).map(|_| client));
        }
        random.shuffle(&mut turns);

        let mut traffic = Traffic::default();
        let mut at = 1_700_000_000;
        for client in turns {
            at += i64::from(random.one_in(4));
            let (verb, label, status) =
                if client % 3 == 2 { chat_message(&mut random) } else { web_request(&mut random) };
            traffic.push(at, format!("client-{client}"), verb.to_owned(), label, status);
        }
        traffic
    }
}

fn requests_of_a_client(random: &mut Random) -> u64 {
    match random.below(1000) {
        0..500 => random.between(1, 4),
        500..800 => random.between(5, 20),
        800..980 => random.between(21, 100),
        980..999 => random.between(101, 400),
        _ => random.between(1000, 3000),
    }
}

fn chat_message(random: &mut Random) -> (&'static str, String, Option<u16>) {
    let bytes = if random.below(100) < 15 { random.between(1, 12) } else { random.between(13, 200) };
    ("say", bytes.to_string(), None)
}

fn web_request(random: &mut Random) -> (&'static str, String, Option<u16>) {
    let number = (0..3).map(|_| random.below(PAGES)).min().unwrap_or_default();
    let page = format!("/section-{}/page-{number}.html", number % 12);
    match random.below(100) {
        0..40 => ("GET", format!("/images/{number}.png"), Some(200)),
        40..62 => ("GET", format!("/assets/{}", if number % 2 == 0 { "site.css" } else { "site.js" }), Some(304)),
        62..90 => ("GET", page, Some(200)),
        90..93 => ("GET", page, Some(304)),
        93..97 => ("GET", format!("/gone/{number}"), Some(404)),
        97..99 => ("GET", format!("/section-{}", number % 12), Some(302)),
        _ => ("HEAD", page, Some(200)),
    }
}

/// The generator `SplitMix64` of Steele, Lea and Flood (2014): integers only, so every machine draws the same.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`. The bounds are so small that the bias of the remainder cannot be seen.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        let mut rest = items.len();
        while let Some(last) = rest.checked_sub(1) {
            let other = usize::try_from(self.below(rest as u64)).unwrap_or(last);
            items.swap(last, other);
            rest = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::model::Model;

    #[test]
    fn the_same_seed_gives_the_same_traffic_and_another_one_another() {
        let traffic = |seed| Distribution { seed, clients: 50 }.traffic();
        assert_eq!(traffic(1).requests, traffic(1).requests);
        assert_ne!(traffic(1).requests, traffic(2).requests);
    }

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        let mut random = Random(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn a_replay_without_a_log_meets_every_case() {
        let traffic = Distribution::default().traffic();
        let model = Model::of(&traffic);
        assert_eq!(traffic.clients.len(), 3000);
        assert_eq!((traffic.bad_lines.count, traffic.back_in_time), (0, 0));
        assert!(traffic.requests.len() as u64 > model.uses);
        assert!(model.uses > model.touches && model.touches > model.changes, "some change nothing");
        assert!(traffic.busiest() >= 1000, "a client has very many requests");
    }
}
