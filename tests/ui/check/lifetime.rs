//! A session outlives what it was loaded from.

use std::borrow::Cow;

use session_runtime::{Session, Sessions};

#[derive(Session)]
struct Visitor<'a> { //~ ERROR a lifetime
    name: &'a str,
    theme: Cow<'a, str>,
    visits: u32,
}

async fn count(sessions: &Sessions<Visitor<'static>>) -> Result<(), session_runtime::Error> {
    let mut visitor = sessions.load("42").await?;
    *visitor.edit().visits() += 1;
    visitor.commit().await?;
    Ok(())
}

fn main() {}
