//! `web`: a small shop with sessions, and a panel that shows for each request what was loaded and written.
//!
//! `web --store URL` keeps the sessions in another store than the file `shop.db`, and `web --port PORT` listens on
//! another port than 3000.

use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use session_examples::shop::{self, Options};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { store, port } = Options::from_command_line();
    let shop = shop::router(shop::open(&store).await?, Router::new()).await?;
    // Its cookies travel in the open, so nobody but this machine is to reach it.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = listener.local_addr()?.port();
    println!("the shop is open:  http://localhost:{port}");
    println!("what it costs:     http://localhost:{port}/panel");
    axum::serve(listener, shop).await?;
    Ok(())
}
