use std::time::Duration;

use session_runtime::{Expiry, MemoryStore, Sessions};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use super::engine::Ingredient;
use super::handler::Handler;
use super::history::{History, Network, Settings};
use super::network::{HANDLER, World};
use super::random::Random;
use super::visitor::Visitor;

/// The history of a seed, on a store without an ingredient if one is named.
pub fn run(seed: u64, without: Option<Ingredient>) -> History {
    runtime().block_on(simulate(seed, without))
}

/// One thread and virtual time, which moves on when nothing is left to do at the present.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

async fn simulate(seed: u64, without: Option<Ingredient>) -> History {
    let mut random = Random::new(seed);
    let settings = settings(&mut random);
    let world = World::new(Random::new(random.next()), seed, settings.clone(), without);
    let instances = instances(&world, &settings);
    let pause = random.pick(&[5, 60, 400]);
    let is_slow = random.chance(30);
    let steps = random.between(3, 7);

    let mut running = Vec::new();
    for number in 0..settings.handlers {
        let handler = Handler {
            number,
            world: world.clone(),
            sessions: instances[number % instances.len()].clone(),
            random: Random::new(random.next()),
            keys: settings.keys,
            pause,
            is_slow,
            session: None,
            unanswered: false,
        };
        running.push(tokio::spawn(HANDLER.scope(number, handler.run(steps))));
    }
    tokio::spawn(world.clone().restart_often(Random::new(random.next()), settings.network.restarts));

    let mut handlers = Vec::new();
    for handler in running {
        handlers.push(handler.await.expect("no handler panics"));
    }
    world.calm_down();
    for handler in handlers {
        HANDLER.scope(handler.number, handler.settle()).await;
    }
    // What is still on its way arrives; then somebody looks at everything, who has no part in it.
    sleep(Duration::from_millis(4 * settings.deadlines.iter().max().copied().unwrap_or(0))).await;
    let mut observer = Handler {
        number: settings.handlers,
        world: world.clone(),
        sessions: instances[settings.handlers % instances.len()].clone(),
        random,
        keys: settings.keys,
        pause,
        is_slow,
        session: None,
        unanswered: false,
    };
    for key in 0..settings.keys {
        HANDLER.scope(observer.number, observer.load_key(key)).await;
    }
    observer.leave();
    world.into_history()
}

fn settings(random: &mut Random) -> Settings {
    let instances = random.index(3) + 1;
    let inactivity = random.pick(&[None, None, Some(400), Some(3_000)]);
    let creation = inactivity.and_then(|inactivity| random.chance(30).then_some(3 * inactivity));
    let touch_after = |_| inactivity.map_or(1, |inactivity| (inactivity / [10, 2, 1_000_000][random.index(3)]).max(1));
    let touch_after = (0..instances).map(touch_after).collect();
    Settings {
        inactivity,
        creation,
        touch_after,
        deadlines: (0..instances).map(|_| random.pick(&[300, 2_000, 10_000])).collect(),
        retentions: (0..instances).map(|_| random.pick(&[1_000, 3_600_000, 7_200_000])).collect(),
        instances,
        handlers: instances + random.index(4) + 1,
        keys: random.index(3) + 2,
        network: network(random),
    }
}

fn network(random: &mut Random) -> Network {
    Network {
        refused: random.pick(&[0, 3, 10]),
        lost: random.pick(&[0, 3, 10]),
        repeated: random.pick(&[0, 5, 20]),
        late: random.pick(&[0, 3, 10]),
        answer_lost: random.pick(&[0, 5, 20]),
        restarts: random.pick(&[0, 0, 1, 3]),
    }
}

fn instances(world: &World, settings: &Settings) -> Vec<Sessions<Visitor>> {
    let agreements = MemoryStore::new();
    let millis = |millis: i64| Duration::from_millis(millis.unsigned_abs());
    let expiry = match (settings.inactivity.map(millis), settings.creation.map(millis)) {
        (None, _) => Expiry::Never,
        (Some(inactivity), None) => Expiry::AfterInactivity(inactivity),
        (Some(inactivity), Some(creation)) => Expiry::AfterEither { inactivity, creation },
    };
    let instance = |number: usize| {
        let touch_after = settings.touch_after[number];
        #[expect(clippy::cast_precision_loss, reason = "these are seconds, not centuries")]
        // In the middle between this many milliseconds and the next, so that no rounding matters.
        let share = settings.inactivity.map_or(0.1, |inactivity| (touch_after as f64 + 0.5) / inactivity as f64);
        Sessions::builder(world.store(&agreements))
            .expiry(expiry)
            .touch_share(share)
            .retention(Duration::from_millis(settings.retentions[number]))
            .deadline(Duration::from_millis(settings.deadlines[number]))
            .build()
    };
    (0..settings.instances).map(instance).collect()
}
