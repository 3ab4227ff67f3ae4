//! actix-session 0.11 with its store on Redis, and a signed cookie.

use std::rc::Rc;
use std::sync::Arc;

use actix_session::config::CookieContentSecurity;
use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionExt, SessionMiddleware};
use actix_web::body::BoxBody;
use actix_web::cookie::Key;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header;
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, test, web};
use futures_util::future::LocalBoxFuture;
use tokio::sync::Barrier;

use super::{Act, Library, View, carry_out};
use crate::web::Cookies;

type Call = dyn Fn(test::TestRequest, Act, Option<Arc<Barrier>>) -> LocalBoxFuture<'static, ServiceResponse<BoxBody>>;

pub(super) struct Actix {
    instances: Vec<Rc<Call>>,
    cookies: Cookies,
}

async fn handle(request: HttpRequest) -> HttpResponse {
    let act = *request.extensions().get::<Act>().expect("an act");
    let meeting = request.extensions().get::<Arc<Barrier>>().cloned();
    carry_out(&mut Handler(request.get_session()), act, meeting.as_deref()).await;
    HttpResponse::Ok().finish()
}

impl Actix {
    pub(super) async fn new(url: &str) -> Self {
        let mut instances = Vec::new();
        for _ in 0..2 {
            let store = RedisSessionStore::new(url).await.expect("a server");
            let layer = SessionMiddleware::builder(store, Key::from(&[7; 64]))
                .cookie_secure(false)
                .cookie_content_security(CookieContentSecurity::Signed)
                .build();
            let service = Rc::new(test::init_service(App::new().wrap(layer).route("/", web::get().to(handle))).await);
            let call: Rc<Call> = Rc::new(move |request: test::TestRequest, act, meeting| {
                let service = service.clone();
                Box::pin(async move {
                    let request = request.to_request();
                    request.extensions_mut().insert(act);
                    if let Some(meeting) = meeting {
                        request.extensions_mut().insert::<Arc<Barrier>>(meeting);
                    }
                    service.call(request).await.expect("answers").map_into_boxed_body()
                })
            });
            instances.push(call);
        }
        Self { instances, cookies: Cookies::default() }
    }

    async fn serve(&self, instance: usize, client: usize, act: Act, meeting: Option<Arc<Barrier>>) -> ServiceResponse {
        let mut request = test::TestRequest::get();
        if let Some(cookies) = self.cookies.of(client) {
            request = request.insert_header((header::COOKIE, cookies));
        }
        (self.instances[instance])(request, act, meeting).await
    }
}

struct Handler(Session);

impl View for Handler {
    async fn visits(&mut self) -> u32 {
        self.0.get("visits").expect("decodes").unwrap_or_default()
    }

    async fn set_visits(&mut self, visits: u32) {
        self.0.insert("visits", visits).expect("encodes");
    }

    async fn dark(&mut self) -> bool {
        self.0.get("dark").expect("decodes").unwrap_or_default()
    }

    async fn set_dark(&mut self, dark: bool) {
        self.0.insert("dark", dark).expect("encodes");
    }
}

impl Library for Actix {
    fn name(&self) -> String {
        "actix-session 0.11".to_owned()
    }

    fn keeps_its_end(&self) -> bool {
        false
    }

    async fn request(&mut self, instance: usize, client: usize, act: Act) {
        let response = self.serve(instance, client, act, None).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.cookies.keep(client, cookie.to_str().unwrap_or_default());
        }
    }

    async fn meet(&mut self, client: usize) {
        let meeting = Arc::new(Barrier::new(2));
        let one = self.serve(0, client, Act::Visit, Some(meeting.clone()));
        tokio::join!(one, self.serve(1, client, Act::Turn, Some(meeting)));
    }
}
