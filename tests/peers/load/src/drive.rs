use std::sync::Arc;
use std::time::Instant;

use crate::{Contender, Figures, Latencies, Load, Random, Verb, Zipf, cpu_time};

/// Lets tasks use the contender as the load says.
///
/// With several tasks each goes to the end of the scheduler's queue after an operation, as the task of a server does
/// that waits for its next request.
pub async fn drive<C: Contender>(contender: &Arc<C>, load: &Load) -> Figures {
    let (cpu, start) = (cpu_time(), Instant::now());
    let tasks = (0..load.tasks).map(|task| tokio::spawn(one(contender.clone(), load.clone(), task, start)));
    let mut figures = Figures::default();
    for task in tasks.collect::<Vec<_>>() {
        let latencies = task.await.expect("a task that ends");
        figures.operations += latencies.0;
        figures.latencies.add(&latencies.1);
    }
    figures.wall = start.elapsed().as_nanos() as u64;
    figures.client = (cpu_time() - cpu).as_nanos() as u64;
    figures
}

async fn one<C: Contender>(contender: Arc<C>, load: Load, task: u32, start: Instant) -> (u64, Latencies) {
    let all = load.keys.end - load.keys.start;
    // Each task has keys of its own, so that what is measured is not how writers of one key wait for each other.
    let share = (all / load.tasks).max(1);
    let first = load.keys.start + (task * share) % all;
    let mine = first..if task + 1 == load.tasks { load.keys.end } else { first + share };
    let mut latencies = Latencies::new();
    let mut operations = 0;

    if let Verb::Fill(notes) = load.verb {
        for key in mine {
            contender.fill(key, notes).await;
            operations += 1;
        }
        return (operations, latencies);
    }
    let mut held = match load.verb {
        Verb::Write => Some(contender.hold(first).await),
        _ => None,
    };
    let (zipf, mut random) = (Zipf::new(all), Random(u64::from(task)));
    loop {
        // Neighbours of a key are not used next, so that caches help as little as they do a server.
        let key = first + (operations * 7_919 % u64::from(mine.end - mine.start)) as u32;
        let begin = Instant::now();
        match (load.verb, &mut held) {
            (Verb::Change, _) => contender.change(key).await,
            (Verb::Write, Some(held)) => contender.write(held).await,
            (Verb::Mix, _) => {
                // Ranks are spread over the keys, so that the busy ones are not neighbours.
                let key = load.keys.start + (u64::from(zipf.draw(&mut random)) * 7_919 % u64::from(all)) as u32;
                if random.below(8) < 5 { contender.read(key).await } else { contender.change(key).await }
            }
            _ => contender.read(key).await,
        }
        latencies.record(begin.elapsed().as_nanos() as u64);
        operations += 1;
        if start.elapsed() >= load.duration {
            return (operations, latencies);
        }
        if load.tasks > 1 {
            tokio::task::yield_now().await;
        }
    }
}
