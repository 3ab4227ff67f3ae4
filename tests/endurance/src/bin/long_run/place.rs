//! All that runs: two servers and three programs, and what can be done to them.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_examples::bot::{BotApi, TOKEN};
use session_tests::postgres_server::PostgresServer;
use session_tests::redis_server::RedisServer;

use crate::options::Options;
use crate::programs::{Ports, Program};
use crate::schedule::Target;

/// Each by itself, so that one can be looked at while another starts.
#[derive(Debug)]
pub(crate) struct Place {
    // Programs end before their servers.
    programs: [(Target, Mutex<Program>); 3],
    redis: Mutex<RedisServer>,
    postgres: Mutex<PostgresServer>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Starts all. Both servers keep what they acknowledged.
    pub(crate) fn start(options: &Options, ports: &Arc<Ports>, api: &BotApi) -> io::Result<Self> {
        let redis = RedisServer::start(&[]);
        let postgres = PostgresServer::start(&[]);
        let log = |name: &str| File::create(options.output.join(name));
        let folder: &Path = &options.programs;
        let shop = |number, name| Program::shop(number, ports, folder, &redis.url(), log(name)?).map(Mutex::new);
        let bot = Program::bot(folder, &postgres.url(), &api.url(), TOKEN, log("bot.log")?)?;
        let programs = [
            (Target::FirstShop, shop(0, "shop-1.log")?),
            (Target::SecondShop, shop(1, "shop-2.log")?),
            (Target::Bot, Mutex::new(bot)),
        ];
        Ok(Self { programs, redis: Mutex::new(redis), postgres: Mutex::new(postgres) })
    }

    fn program(&self, target: Target) -> MutexGuard<'_, Program> {
        let found = self.programs.iter().find(|(name, _)| *name == target);
        open(&found.expect("each target that is no server is a program").1)
    }

    pub(crate) fn kill(&self, target: Target) -> io::Result<()> {
        match target {
            Target::Redis => open(&self.redis).kill9(),
            Target::Postgres => open(&self.postgres).kill9(),
            program => self.program(program).kill()?,
        }
        Ok(())
    }

    pub(crate) fn start_again(&self, target: Target) -> io::Result<()> {
        match target {
            Target::Redis => open(&self.redis).restart(),
            Target::Postgres => open(&self.postgres).restart(&[]),
            program => self.program(program).start_again()?,
        }
        Ok(())
    }

    pub(crate) fn stop(&self, target: Target) -> io::Result<()> {
        match target {
            Target::Redis => open(&self.redis).stop(),
            Target::Postgres => open(&self.postgres).stop(),
            program => self.program(program).signal("-STOP")?,
        }
        Ok(())
    }

    pub(crate) fn go_on(&self, target: Target) -> io::Result<()> {
        match target {
            Target::Redis => open(&self.redis).cont(),
            Target::Postgres => open(&self.postgres).cont(),
            program => self.program(program).signal("-CONT")?,
        }
        Ok(())
    }

    /// The processes of each, but of what is being started just now.
    pub(crate) fn processes(&self) -> Vec<(Target, Vec<String>)> {
        let mut processes = Vec::new();
        if let Ok(redis) = self.redis.try_lock() {
            processes.push((Target::Redis, vec![redis.process().to_owned()]));
        }
        if let Ok(postgres) = self.postgres.try_lock() {
            processes.push((Target::Postgres, postgres.processes()));
        }
        for (target, program) in &self.programs {
            if let Ok(program) = program.try_lock() {
                processes.push((*target, vec![program.process()]));
            }
        }
        processes
    }

    /// The programs that ended by themselves.
    pub(crate) fn ended(&self) -> Vec<Target> {
        let ended = |(target, program): &(Target, Mutex<Program>)| (!open(program).is_there()).then_some(*target);
        self.programs.iter().filter_map(ended).collect()
    }

    /// How many keys Redis has, and how many bytes it uses for them.
    pub(crate) fn redis_holds(&self) -> String {
        let redis = open(&self.redis);
        let keys = redis.cli("DBSIZE");
        let memory = redis.cli("INFO memory");
        let used = memory.lines().find_map(|line| line.strip_prefix("used_memory_human:")).unwrap_or_default();
        format!("{} keys in {}", keys.trim().trim_start_matches(':'), used.trim())
    }
}
