//! Sessions as tower-sessions and actix-session keep them in Redis, and the cookies by which clients know them: one file
//! for each library and kind of cookie. `cargo run redis://127.0.0.1 ../../web/records`
//!
//! Each session has `visits` 3, `theme` "dark" and `user` 7.

use std::path::{Path, PathBuf};

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_session::storage::RedisSessionStore;
use actix_web::cookie::{Cookie, CookieJar, Key};
use actix_web::{App, HttpResponse, test, web};
use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use serde_json::json;
use time::macros::datetime;
use tower::ServiceExt as _;
use tower_sessions::{Expiry, Session, SessionManagerLayer};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, KeysInterface as _, Pool};

/// That of signed and encrypted cookies.
const KEY: [u8; 64] = [7; 64];

#[actix_web::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (url, folder) = arguments.next().zip(arguments.next()).context("the URL of a Redis server, and a folder")?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    let redis = Pool::new(Config::from_url(&url)?, None, None, None, 1)?;
    redis.init().await?;
    of_tower_sessions(&redis, &folder).await?;
    of_actix_session(&redis, &url, CookieContentSecurity::Signed, &folder.join("actix-session-signed.json")).await?;
    of_actix_session(&redis, &url, CookieContentSecurity::Private, &folder.join("actix-session-private.json")).await
}

async fn of_tower_sessions(redis: &Pool, folder: &Path) -> Result<()> {
    let end = Expiry::AtDateTime(datetime!(2100-02-03 04:05:06.789 UTC));
    let plain = SessionManagerLayer::new(RedisStore::new(redis.clone())).with_expiry(end);
    let key = tower_sessions::cookie::Key::from(&KEY);
    let private = plain.clone().with_private(key.clone());
    let page = async |session: Session| {
        session.insert("visits", 3).await.expect("a store");
        session.insert("theme", "dark").await.expect("a store");
        session.insert("user", 7_u64).await.expect("a store");
        session.save().await.expect("a store");
        session.id().expect("it is stored").to_string()
    };
    let app = axum::Router::new().route("/", get(page));
    let apps = [("plain", app.clone().layer(plain)), ("private", app.layer(private))];
    for (name, app) in apps {
        let response = app.oneshot(Request::get("/").body(Body::empty())?).await?;
        let cookie = response.headers().get("set-cookie").context("a cookie")?.to_str()?.to_owned();
        let body = axum::body::to_bytes(response.into_body(), 1 << 10).await?;
        write(redis, std::str::from_utf8(&body)?, &cookie, &folder.join(format!("tower-sessions-{name}.json"))).await?;
    }
    Ok(())
}

async fn of_actix_session(redis: &Pool, url: &str, security: CookieContentSecurity, file: &Path) -> Result<()> {
    let store = RedisSessionStore::new(url).await?;
    let layer = SessionMiddleware::builder(store, Key::from(&KEY)).cookie_content_security(security).build();
    let page = async |session: actix_session::Session| {
        session.insert("visits", 3)?;
        session.insert("theme", "dark")?;
        session.insert("user", 7_u64)?;
        Ok::<_, actix_web::Error>(HttpResponse::Ok())
    };
    let app = test::init_service(App::new().wrap(layer).route("/", web::get().to(page))).await;
    let response = test::call_service(&app, test::TestRequest::get().to_request()).await;
    let line = response.headers().get("set-cookie").context("a cookie")?.to_str()?.to_owned();
    let mut jar = CookieJar::new();
    jar.add_original(Cookie::parse_encoded(line.clone())?.into_owned());
    let key = Key::from(&KEY);
    let cookie = match security {
        CookieContentSecurity::Signed => jar.signed(&key).get("id"),
        CookieContentSecurity::Private => jar.private(&key).get("id"),
    };
    write(redis, cookie.context("its own cookie")?.value(), &line, file).await
}

/// Writes down what the store holds, and takes it out of there.
async fn write(redis: &Pool, key: &str, cookie: &str, file: &Path) -> Result<()> {
    let record: Vec<u8> = redis.getdel(key).await?;
    let hex: String = record.iter().map(|byte| format!("{byte:02x}")).collect();
    let cookie = cookie.split(';').next().unwrap_or_default();
    let all = json!({ "cookie": cookie, "key": key, "record": hex });
    std::fs::write(file, format!("{}\n", serde_json::to_string_pretty(&all)?))?;
    Ok(())
}
