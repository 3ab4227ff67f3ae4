//! The hot paths, for `scripts/instructions` to count: `session-instructions CASE COUNT` goes one of them so many times.
//!
//! The script counts twice and divides the difference, so that starting up and setting up cancel out.

mod web;

use std::future::Future;
use std::hint::black_box;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use session_runtime::{Error, MemoryStore, Session, Sessions, Tracked};

/// Ten small fields of the kinds that bots and shops keep.
#[derive(Session)]
struct Visitor {
    visits: u32,
    theme: String,
    locale: String,
    cart: Vec<Item>,
    last_page: String,
    user: Option<u64>,
    flash: Option<String>,
    step: u8,
    score: f64,
    notes: String,
}

#[derive(Serialize, Deserialize, Clone)]
struct Item {
    sku: String,
    quantity: u32,
}

#[derive(Session)]
struct Basket {
    items: Vec<Item>,
}

/// Goes its path so many times.
type Case = fn(u32) -> Result<(), Error>;

/// The cases, by the names that are recorded.
const CASES: &[(&str, Case)] = &[
    ("edit", edit),
    ("untouched-commit", untouched_commit),
    ("cycle", cycle),
    ("unchanged-vector-of-32", unchanged_vector),
    ("small-commit", small_commit),
    ("web-no-layer", web::no_layer),
    ("web-unused", web::unused),
    ("web-no-cookie", web::no_cookie),
    ("web-read", web::read),
    ("web-change", web::change),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = match &arguments[..] {
        [] => {
            for (name, _) in CASES {
                println!("{name}");
            }
            return ExitCode::SUCCESS;
        }
        [name, count] => CASES.iter().find(|(case, _)| case == name).zip(count.parse().ok()),
        _ => None,
    };
    let Some(((_, run), count)) = asked else {
        eprintln!("usage: session-instructions [CASE COUNT]; without arguments it lists the cases");
        return ExitCode::from(2);
    };
    match run(count) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Marks one field and changes it.
fn edit(count: u32) -> Result<(), Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    for round in 0..count {
        set_visits(black_box(&mut visitor), round);
    }
    black_box(visitor.visits);
    Ok(())
}

#[inline(never)]
fn set_visits(visitor: &mut Tracked<Visitor>, visits: u32) {
    *visitor.edit().visits() = visits;
}

/// Commits a stored session of which no field is marked.
fn untouched_commit(count: u32) -> Result<(), Error> {
    run(async {
        let mut visitor = stored().await?.load("42").await?;
        for _ in 0..count {
            black_box(&mut visitor).commit().await?;
        }
        Ok(())
    })
}

/// What a request does that counts a visit: load, change, commit.
fn cycle(count: u32) -> Result<(), Error> {
    run(async {
        let sessions = stored().await?;
        for _ in 0..count {
            let mut visitor = sessions.load("42").await?;
            *visitor.edit().visits() += 1;
            visitor.commit().await?;
        }
        Ok(())
    })
}

/// Finds that a vector of 32 lines, lent and not changed, is not dirty.
fn unchanged_vector(count: u32) -> Result<(), Error> {
    run(async {
        let sessions = Sessions::<Basket>::new(MemoryStore::new());
        let mut basket = sessions.load("42").await?;
        *basket.edit().items() = vec![line("A-1001"); 32];
        basket.commit().await?;
        for _ in 0..count {
            black_box(basket.edit().items());
            basket.commit().await?;
        }
        Ok(())
    })
}

/// Commits one small changed field of a session that stays loaded.
fn small_commit(count: u32) -> Result<(), Error> {
    run(async {
        let mut visitor = stored().await?.load("42").await?;
        for _ in 0..count {
            *visitor.edit().step() ^= 1;
            visitor.commit().await?;
        }
        Ok(())
    })
}

fn line(sku: &str) -> Item {
    Item { sku: sku.to_owned(), quantity: 2 }
}

/// Sessions of which one is stored.
async fn stored() -> Result<Sessions<Visitor>, Error> {
    let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    let mut visitor = sessions.load("42").await?;
    *visitor.edit_all() = Visitor {
        visits: 41,
        theme: "dark".to_owned(),
        locale: "en-GB".to_owned(),
        cart: vec![line("A-1001"), line("B-7")],
        last_page: "/products/tea-pots?page=2".to_owned(),
        user: Some(7_340_981),
        flash: None,
        step: 3,
        score: 12.5,
        notes: String::new(),
    };
    visitor.commit().await?;
    Ok(sessions)
}

fn run(work: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(work)
}
