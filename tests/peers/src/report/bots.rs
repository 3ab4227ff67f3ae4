//! What bots read and write, as tables.

use super::Found;
use super::markdown::{section, table};
use crate::questions::bots::{REPEATED, UPDATES};

pub fn of(found: &Found, page: &mut String) {
    let Some(bots) = &found.bots else { return };
    section(
        page,
        "In a bot",
        &format!(
            "{} updates of {} chats, {}, through a tree of teloxide on stores in memory; grammY's middleware in node. \
             Bytes are those of the values.",
            bots.updates, bots.chats, bots.traffic
        ),
    );
    let rows = bots.served.iter().map(|served| {
        let figures = [served.loads, served.writes, served.records, served.bytes].map(|figure| figure.to_string());
        std::iter::once(served.side.clone()).chain(figures).collect()
    });
    page.push_str(&table(&["side", "loads", "writes", "records in the end", "bytes written"], rows));
    section(
        page,
        "Updates that come twice",
        &format!(
            "{UPDATES} updates that each count one. At {REPEATED} of them the process dies between the commit and the \
             acknowledgement, and the next one gets the update again. Effects are what a handler would have sent."
        ),
    );
    let rows = bots.twice.iter().map(|twice| {
        let figures = [twice.deliveries, twice.effects, twice.counted].map(|figure| figure.to_string());
        std::iter::once(twice.side.clone()).chain(figures).collect()
    });
    page.push_str(&table(&["side", "deliveries", "effects", "counted in the store"], rows));
}
