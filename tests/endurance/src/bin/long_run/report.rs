//! The report, and whether all was well.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;

use crate::charts::{self, Along, quantile};
use crate::faults::Was;
use crate::ledger::{Latencies, Seen};
use crate::memory::{Memory, Trend};
use crate::options::Options;
use crate::schedule::Target;

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) seen: Seen,
    pub(crate) memory: Memory,
    pub(crate) faults: Vec<Was>,
    /// Of how many visitors and chats it was looked in the end what is stored.
    pub(crate) sessions: usize,
    pub(crate) chats: usize,
    /// What Redis holds in the end.
    pub(crate) redis: String,
    pub(crate) seconds: f64,
}

impl Found {
    /// The programs whose memory grew. Servers hold more as more is stored.
    pub(crate) fn grew(&self) -> Vec<&'static str> {
        let programs: [(_, &[Target]); 2] =
            [("the shop", &[Target::FirstShop, Target::SecondShop]), ("the bot", &[Target::Bot])];
        let grew = |targets: &[Target]| {
            let lives = targets.iter().filter_map(|target| self.memory.get(target)).flatten();
            Trend::of(lives).and_then(Trend::is_flat) == Some(false)
        };
        programs.into_iter().filter(|(_, targets)| grew(targets)).map(|(name, _)| name).collect()
    }

    /// Writes the report, the charts, and the figures by second.
    pub(crate) fn write(&self, options: &Options) -> Result<(), Box<dyn Error>> {
        let folder = &options.output;
        let along = Along { seconds: self.seconds, faults: &self.faults };
        let shop = "Answers of the shops, on Redis, in milliseconds";
        charts::latencies(&folder.join("shop-latency.svg"), shop, &self.seen.shop, along)?;
        let bot = "Answers of the bot, on PostgreSQL, in milliseconds";
        charts::latencies(&folder.join("bot-latency.svg"), bot, &self.seen.bot, along)?;
        charts::memory(&folder.join("memory.svg"), &self.memory, along)?;
        fs::write(folder.join("latency.csv"), self.by_second())?;
        fs::write(folder.join("report.md"), self.markdown(options)?)?;
        Ok(())
    }

    fn by_second(&self) -> String {
        let mut text = "program,second,answers,50 % in ms,99 % in ms,longest in ms\n".to_owned();
        for (name, latencies) in [("shop", &self.seen.shop), ("bot", &self.seen.bot)] {
            for (second, all) in latencies {
                let [half, most, longest] = shares(all.clone());
                let _ = writeln!(text, "{name},{second},{},{half:.2},{most:.2},{longest:.2}", all.len());
            }
        }
        text
    }

    fn markdown(&self, options: &Options) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let verdict = if self.seen.wrong.is_empty() && self.grew().is_empty() { "all was well" } else { "NOT WELL" };
        writeln!(text, "# A long run: {verdict}\n")?;
        writeln!(
            text,
            "{:.0} s, seed {}, {} visitors and {} chats at a time, {} faults. In the end {} sessions of visitors and {} \
             chats were looked at; Redis holds {}.\n",
            self.seconds,
            options.seed,
            options.visitors,
            options.chats,
            self.faults.len(),
            self.sessions,
            self.chats,
            self.redis
        )?;
        for wrong in &self.seen.wrong {
            writeln!(text, "- **wrong**: {wrong}")?;
        }
        writeln!(text, "\n| what | how often |\n|---|---:|")?;
        for (what, count) in &self.seen.counts {
            writeln!(text, "| {what} | {count} |")?;
        }
        writeln!(text, "\n| answers | 50 % | 99 % | 99.9 % | longest |\n|---|---:|---:|---:|---:|")?;
        for (name, latencies) in [("shops", &self.seen.shop), ("bot", &self.seen.bot)] {
            self.latencies(&mut text, name, latencies)?;
        }
        writeln!(
            text,
            "\n| memory in MB | longest life | second fifth | third | fourth | last | flat |\n|---|---:|---:|---:|---:|---:|---|"
        )?;
        for (target, lives) in &self.memory {
            let Some(trend) = Trend::of(lives) else { continue };
            let is_flat = match trend.is_flat() {
                Some(true) => "yes",
                Some(false) => "no",
                None => "too short to say",
            };
            let Trend { seconds, fifths: [second, third, fourth, last] } = trend;
            writeln!(
                text,
                "| {target} | {seconds:.0} s | {second:.1} | {third:.1} | {fourth:.1} | {last:.1} | {is_flat} |"
            )?;
        }
        writeln!(text, "\n| second | fault |\n|---:|---|")?;
        for was in &self.faults {
            writeln!(text, "| {:.0} | {} |", was.began, was.fault)?;
        }
        for chart in ["shop-latency", "bot-latency", "memory"] {
            writeln!(text, "\n![{chart}]({chart}.svg)")?;
        }
        Ok(text)
    }

    /// Of all answers, and of those that came in seconds without a fault.
    fn latencies(&self, text: &mut String, name: &str, latencies: &Latencies) -> std::fmt::Result {
        // A request can be as long under way as a fault was before it.
        let is_quiet = |second: &u32| {
            let second = f64::from(*second);
            !self.faults.iter().any(|was| was.began - 1.0 <= second && second <= was.ended + 15.0)
        };
        let quiet = latencies.iter().filter(|(second, _)| is_quiet(second)).flat_map(|(_, all)| all).copied();
        let all = latencies.values().flatten().copied();
        for (when, mut answers) in [("all the time", all.collect()), ("away from faults", quiet.collect::<Vec<f32>>())]
        {
            answers.sort_unstable_by(f32::total_cmp);
            let share = |share| quantile(&answers, share).map_or("–".to_owned(), |value| format!("{value:.1} ms"));
            let [half, most, more, longest] = [500, 990, 999, 1000].map(share);
            writeln!(text, "| {name}, {when}: {} | {half} | {most} | {more} | {longest} |", answers.len())?;
        }
        Ok(())
    }
}

/// The median, the 99th percentile, and the longest.
fn shares(mut all: Vec<f32>) -> [f32; 3] {
    all.sort_unstable_by(f32::total_cmp);
    [500, 990, 1000].map(|share| quantile(&all, share).unwrap_or_default())
}
