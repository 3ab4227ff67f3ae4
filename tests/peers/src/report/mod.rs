//! Everything that was found, and how it is shown: `report.md`, `report.json`, charts.

mod bars;
mod bots;
mod charts;
mod markdown;

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::compare::{Comparison, Ratio};
use crate::questions::allocations::Allocations;
use crate::questions::bots::Bots;
use crate::questions::build::{Build, Derive};
use crate::questions::calls::CallsOf;
use crate::questions::growth::Growth;
use crate::questions::layer::Layers;
use crate::questions::lines::Lines;
use crate::questions::tracking::Tracking;
use crate::questions::traffic::Replayed;
use crate::questions::users::Users;
use crate::questions::waste::Waste;
use crate::questions::wire::Wire;

pub use bars::Bar;

/// One run of the program.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Run {
    pub command: String,
    pub commit: String,
    pub seconds: f64,
}

/// The answers to all questions that were asked.
#[derive(Serialize, Deserialize, Debug, Default)]
pub struct Found {
    /// The one that asked last is the last.
    pub runs: Vec<Run>,
    pub processors: usize,
    pub left_out: Vec<String>,
    pub bars: Vec<Bar>,
    pub calls: Vec<CallsOf>,
    pub traffic: Vec<Replayed>,
    pub requests: Vec<Comparison>,
    /// With a processor for the server and one for its clients.
    #[serde(default)]
    pub apart: Vec<Comparison>,
    pub crowd: Vec<Comparison>,
    pub writers: Option<Comparison>,
    pub wire: Vec<Wire>,
    pub users: Vec<Users>,
    pub layers: Vec<Layers>,
    pub bots: Option<Bots>,
    pub waste: Vec<Waste>,
    pub lines: Vec<Lines>,
    pub growth: Vec<Growth>,
    pub tracking: Vec<Tracking>,
    pub allocations: Option<Allocations>,
    pub builds: Vec<Build>,
    pub derive: Option<Derive>,
}

impl Found {
    /// What an earlier run left in a folder.
    pub fn read(folder: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(folder.join("report.json"))?)?)
    }

    /// Writes all of it into a folder; what an earlier run left there goes.
    pub fn write(mut self, folder: &Path) -> io::Result<()> {
        self.bars = bars::of(&self);
        fs::create_dir_all(folder)?;
        for old in fs::read_dir(folder)?.flatten() {
            if old.path().extension().is_some_and(|ending| ending == "svg") {
                fs::remove_file(old.path())?;
            }
        }
        let charts = charts::draw(&self, folder);
        fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&self)?)?;
        fs::write(folder.join("report.md"), markdown::of(&self, &charts))
    }

    /// The table that matters most, for the terminal.
    pub fn summary(&self) -> String {
        markdown::bars(&bars::of(self))
    }
}

fn median(figures: &[f64]) -> f64 {
    Ratio::of(figures.iter().copied()).median
}

/// A number with three digits.
fn short(number: f64) -> String {
    let magnitude = number.abs();
    if !number.is_finite() {
        "–".to_owned()
    } else if magnitude >= 1e6 {
        format!("{:.2} M", number / 1e6)
    } else if magnitude >= 1e4 {
        format!("{:.1} k", number / 1e3)
    } else if magnitude >= 100.0 || number == 0.0 {
        format!("{number:.0}")
    } else if magnitude >= 10.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.2}")
    }
}

fn size(untouched: usize) -> String {
    if untouched == 0 { "small".to_owned() } else { format!("{} KB", untouched / 1024) }
}
