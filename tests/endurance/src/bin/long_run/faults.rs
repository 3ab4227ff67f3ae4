//! Carries out the schedule.

use std::io;

use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::ledger::Ledger;
use crate::place::Place;
use crate::schedule::{Fault, What};

/// A fault that was, for the charts: when it began and ended, in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Was {
    pub(crate) fault: Fault,
    pub(crate) began: f64,
    pub(crate) ended: f64,
}

/// Carries out the schedule, one fault after the other.
pub(crate) async fn carry_out(schedule: &[Fault], place: &Place, ledger: &Ledger) -> Vec<Was> {
    let mut done = Vec::new();
    for &fault in schedule {
        sleep(fault.at.saturating_sub(ledger.elapsed())).await;
        for target in place.ended() {
            ledger.wrong(format!("{target} ended by itself"));
        }
        let began = ledger.elapsed().as_secs_f64();
        eprintln!("{began:8.1} s  {fault}");
        ledger.fault();
        if let Err(error) = happen(fault, place).await {
            ledger.wrong(format!("{fault}: {error}"));
        }
        ledger.fault();
        done.push(Was { fault, began, ended: ledger.elapsed().as_secs_f64() });
    }
    done
}

async fn happen(Fault { target, what, lasts, .. }: Fault, place: &Place) -> io::Result<()> {
    match what {
        What::Restarted => block_in_place(|| place.start_again(target)),
        What::Killed => {
            block_in_place(|| place.kill(target))?;
            sleep(lasts).await;
            block_in_place(|| place.start_again(target))
        }
        What::Stopped => {
            block_in_place(|| place.stop(target))?;
            sleep(lasts).await;
            block_in_place(|| place.go_on(target))
        }
    }
}
