//! What clients are told, and when.

use std::time::Duration;

use session_runtime::axum::{SameSite, SessionCookie, WebSession};
use session_runtime::{Error, Expiry, Sessions};
use session_tests::{is_stored, stored};

use crate::client::{Answer, Client, Request};
use crate::site::{Framework, Layer, on_both};
use crate::visitor::{Cart, Gate, Visitor, layer, pages, site, test_store, words};

on_both![
    a_cookie_comes_when_something_is_stored_and_only_once,
    a_cookie_goes_by_destroy_and_by_nothing_else,
    what_is_changed_after_a_logout_belongs_to_a_new_session,
    caches_are_told_what_depends_on_the_session,
    a_cookie_is_set_as_the_layer_was_told,
    each_session_type_has_a_cookie_of_its_own,
    a_client_that_is_no_browser_shows_its_token_as_a_bearer,
    a_session_has_the_key_of_the_store_once_its_client_has_it,
    a_remembered_session_has_a_cookie_that_outlives_the_browser_and_follows_its_end,
];

async fn a_cookie_comes_when_something_is_stored_and_only_once(framework: Framework) {
    let (app, _, _) = site(framework).await;
    let mut client = Client::new(&app);
    for path in ["/none", "/read", "/same", "/back", "/fail", "/maybe"] {
        assert!(client.get(path).await.cookies().is_empty(), "{path}");
    }
    let first = client.get("/visit").await;
    let expected = format!("__Host-visitor={}; Path=/; Secure; HttpOnly; SameSite=Lax", client.token());
    assert_eq!(first.cookies(), [expected]);
    for path in ["/visit", "/read", "/same", "/commit", "/none"] {
        assert!(client.get(path).await.cookies().is_empty(), "{path}");
    }
}

async fn a_cookie_goes_by_destroy_and_by_nothing_else(framework: Framework) {
    let (app, _, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    assert!(client.get("/back").await.cookies().is_empty(), "what went back to its initial value can change again");
    assert!(client.get("/visit").await.cookies().is_empty(), "under the same token");
    assert_eq!(client.get("/read").await.text, "1 light None");

    let ended = client.clone();
    let gone = "__Host-visitor=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";
    assert_eq!(client.get("/logout").await.cookies(), [gone]);
    assert!(!client.has_cookie());
    assert!(ended.look("/read").await.cookies().is_empty(), "an ended session removes no cookie");
    assert_eq!(ended.look("/logout").await.cookies(), [gone]);
}

async fn what_is_changed_after_a_logout_belongs_to_a_new_session(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/login").await;
    let (old, _) = (client.token().to_owned(), words(&store));
    let answer = client.get("/farewell").await;
    assert_eq!(answer.cookies().len(), 1, "the new one takes the old one's place");
    assert_ne!(client.token(), old);
    assert_eq!(words(&store), ["load", "destroy", "commit theme"]);
    assert_eq!(client.get("/read").await.text, "0 goodbye None");
}

async fn caches_are_told_what_depends_on_the_session(framework: Framework) {
    let (app, _, _) = site(framework).await;
    let mut client = Client::new(&app);
    let kept = "no-cache=\"Set-Cookie\"";
    for (path, vary, cache) in [
        ("/none", &[][..], &[][..]),
        ("/maybe", &["cookie"], &[]),
        ("/read", &["cookie"], &[]),
        ("/visit", &["cookie"], &[kept]),
        ("/visit", &["cookie"], &[]),
        ("/fail", &["cookie"], &[]),
        ("/logout", &["cookie"], &[kept]),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.lines("vary"), vary, "{path}");
        assert_eq!(answer.lines("cache-control"), cache, "{path}");
    }
}

async fn a_cookie_is_set_as_the_layer_was_told(framework: Framework) {
    for (cookie, name, attributes) in [
        (SessionCookie::new().insecure_for_development(), "visitor", "Path=/; HttpOnly; SameSite=Lax"),
        (
            SessionCookie::new().domain("example.com").same_site(SameSite::Strict),
            "__Secure-visitor",
            "Path=/; Secure; HttpOnly; SameSite=Strict; Domain=example.com",
        ),
        (
            SessionCookie::new().same_site(SameSite::None).partitioned(),
            "__Host-visitor",
            "Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
        ),
    ] {
        let app = pages(&Gate::default()).layer(layer(&test_store()).await.cookie(cookie)).on(framework).await;
        let mut client = Client::new(&app);
        let answer = client.get("/visit").await;
        assert_eq!(answer.cookies(), [format!("{name}={}; {attributes}", client.token())]);
        assert_eq!(client.get("/visit").await.text, "2 light None");
    }
}

async fn each_session_type_has_a_cookie_of_its_own(framework: Framework) {
    let store = test_store();
    let both = async |(mut visitor, mut cart): (WebSession<Visitor>, WebSession<Cart>)| {
        *visitor.edit().visits() += 1;
        *cart.edit().items() += 2;
        format!("{} {}", visitor.visits, cart.items)
    };
    let site = pages(&Gate::default()).page("/both", both).layer(layer(&store).await);
    let app = site.carts(Sessions::new(store.clone())).on(framework).await;
    let mut client = Client::new(&app);
    let names = |answer: Answer| {
        let mut names: Vec<_> =
            answer.cookies().iter().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
        names.sort();
        names
    };
    assert_eq!(names(client.get("/both").await), ["__Host-cart", "__Host-visitor"]);
    assert_eq!(client.get("/both").await.text, "2 4");
    assert_eq!(names(client.get("/logout").await), ["__Host-visitor"], "the other session goes on");
    assert_eq!(client.get("/both").await.text, "1 6");
}

async fn a_client_that_is_no_browser_shows_its_token_as_a_bearer(framework: Framework) {
    let store = test_store();
    let login = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().user() = Some(7);
        visitor.renew().await?;
        Ok::<_, Error>(visitor.token().unwrap_or_default().to_owned())
    };
    let site = pages(&Gate::default()).page("/token", login).layer(layer(&store).await.bearer());
    let app = site.on(framework).await;
    let ask = async |path: &str, authorization: Option<&str>| {
        let headers = authorization.map(|line| ("authorization", line.to_owned())).into_iter().collect();
        app.send(Request { path: path.to_owned(), headers }).await
    };
    let answer = ask("/token", None).await;
    assert!(answer.cookies().is_empty());
    assert_eq!(answer.lines("vary"), ["authorization"]);
    assert_eq!(answer.lines("cache-control"), ["no-store"]);
    for scheme in ["Bearer", "bearer"] {
        assert_eq!(ask("/read", Some(&format!("{scheme} {}", answer.text))).await.text, "0 light Some(7)");
    }
    for other in ["Basic", "Bearer x", "Bear", ""] {
        assert_eq!(ask("/read", Some(&format!("{other} {}", answer.text))).await.text, "0 light None");
    }
    let renewed = ask("/token", Some(&format!("Bearer {}", answer.text))).await.text;
    assert_ne!(renewed, answer.text);
    assert_eq!(ask("/read", Some(&format!("Bearer {}", answer.text))).await.text, "0 light None");
    assert_eq!(ask("/logout", Some(&format!("Bearer {renewed}"))).await.status, 200);
    assert_eq!(ask("/read", Some(&format!("Bearer {renewed}"))).await.text, "0 light None");
}

async fn a_session_has_the_key_of_the_store_once_its_client_has_it(framework: Framework) {
    let store = test_store();
    let key = async |visitor: WebSession<Visitor>| visitor.key().unwrap_or("none").to_owned();
    let keys = async |mut visitor: WebSession<Visitor>| {
        let key = |visitor: &WebSession<Visitor>| visitor.key().unwrap_or("none").to_owned();
        *visitor.edit().visits() += 1;
        let mut keys = vec![key(&visitor)];
        visitor.commit().await?;
        keys.push(key(&visitor));
        visitor.renew().await?;
        keys.push(key(&visitor));
        visitor.destroy().await?;
        keys.push(key(&visitor));
        Ok::<_, Error>(keys.join(" "))
    };
    let site = pages(&Gate::default()).page("/key", key).page("/keys", keys);
    let app = site.layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    assert_eq!(client.get("/key").await.text, "none");
    client.get("/visit").await;
    let before = client.get("/key").await.text;
    assert_eq!(stored(&store, "visitor", &before).await, [("visits".to_owned(), "1".to_owned())]);
    assert!(!before.contains(&client.token()[4..]), "nobody finds the token by it");
    let forgetful = client.clone();
    client.get("/login").await;
    let renewed = client.get("/key").await.text;
    assert_ne!(renewed, before);
    assert!(is_stored(&store, "visitor", &renewed).await);
    assert_eq!(forgetful.look("/key").await.text, "none", "the session has another token by now");

    let text = Client::new(&app).get("/keys").await.text;
    let [new, stored, renewed, ended] = *text.split(' ').collect::<Vec<_>>() else { panic!("four, and not {text}") };
    assert_eq!((new, ended), ("none", "none"));
    assert!(stored != renewed && stored[..4] == renewed[..4], "{text}");
}

async fn a_remembered_session_has_a_cookie_that_outlives_the_browser_and_follows_its_end(framework: Framework) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let store = test_store();
    let sessions = Sessions::builder(store.clone()).expiry(Expiry::AfterInactivity(DAY)).build();
    let remember = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().user() = Some(7);
        visitor.expire_after(30 * DAY);
        visitor.renew().await.map(drop)
    };
    let forget = async |mut visitor: WebSession<Visitor>| visitor.expire_by_rule();
    let site = pages(&Gate::default()).page("/remember", remember).page("/forget", forget);
    let app = site.layer(Layer::new(sessions)).on(framework).await;
    let mut client = Client::new(&app);
    assert!(!client.get("/visit").await.cookies()[0].contains("Max-Age"), "a rule for all is no wish to be remembered");

    let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";
    let lasting = |client: &Client| format!("__Host-visitor={}; {attributes}; Max-Age=2592000", client.token());
    let cookies = client.get("/remember").await.cookies();
    assert_eq!(cookies, [lasting(&client)]);
    let token = client.token().to_owned();
    store.inner().pass(DAY);
    assert!(client.get("/read").await.cookies().is_empty(), "too soon for the end to be moved");
    store.inner().pass(4 * DAY);
    let cookies = client.get("/read").await.cookies();
    assert_eq!(cookies, [lasting(&client)], "the end was moved by looking");
    store.inner().pass(DAY);
    let cookies = client.get("/visit").await.cookies();
    assert_eq!(cookies, [lasting(&client)], "and by a change");
    assert_eq!(client.token(), token);

    let cookies = client.get("/forget").await.cookies();
    assert_eq!(cookies, [format!("__Host-visitor={}; {attributes}", client.token())]);
    assert!(client.get("/visit").await.cookies().is_empty());
    store.inner().pass(DAY);
    assert_eq!(client.get("/read").await.text, "0 light None");
}
