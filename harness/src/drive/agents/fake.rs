//! [`App`]: an application with agents, on the loopback interface.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;
use wiremock::{Mock, MockServer, Request as Received, ResponseTemplate, matchers::any};

/// The application: what it does, and what it was asked.
#[derive(Default)]
pub(super) struct System {
    /// Looks at the status before spawned agents live.
    pub(super) delay: u32,
    /// No more than this many agents live.
    pub(super) most: Option<u64>,
    /// Agents outlive a stop.
    pub(super) pauses: bool,
    /// What is answered on a path instead.
    pub(super) broken: BTreeMap<&'static str, (u16, String)>,
    pub(super) live: BTreeMap<String, u64>,
    pub(super) looks: u32,
    pub(super) log: Vec<String>,
}

impl System {
    /// From now on, this is answered on that path.
    pub(super) fn say(&mut self, path: &'static str, status: u16, body: impl Into<String>) {
        self.broken.insert(path, (status, body.into()));
    }

    fn answer(&mut self, request: &Received) -> ResponseTemplate {
        let (method, path) = (request.method.as_str(), request.url.path());
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if (method, path) != ("GET", "/agents") {
            self.log.push(format!("{method} {path} {body}").trim_end().to_owned());
        }
        if let Some((status, body)) = self.broken.get(path) {
            return ResponseTemplate::new(*status).set_body_string(body);
        }
        match (method, path.strip_prefix("/agents/")) {
            ("POST", Some(group)) => {
                let count =
                    serde_json::from_str::<serde_json::Value>(&body).unwrap()["count"].as_u64();
                *self.live.entry(group.to_owned()).or_default() += count.unwrap();
                self.looks = 0;
                ResponseTemplate::new(201)
            }
            ("GET", Some(group)) => {
                let live = self.live.get(group).copied().unwrap_or_default();
                ResponseTemplate::new(200).set_body_json(vec![0; live as usize])
            }
            ("GET", None) => {
                self.looks += 1;
                let live: u64 = self.live.values().sum();
                let live = if self.looks > self.delay { live } else { 0 };
                let live = live.min(self.most.unwrap_or(live));
                ResponseTemplate::new(200).set_body_json(json!({ "live": live, "pending": 0 }))
            }
            _ => {
                let ends = path == "/reset" || path == "/stop" && !self.pauses;
                if ends {
                    self.live.values_mut().for_each(|live| *live = 0);
                }
                ResponseTemplate::new(204)
            }
        }
    }
}

pub(super) struct App {
    server: MockServer,
    system: Arc<Mutex<System>>,
}

impl App {
    pub(super) async fn start(system: System) -> Self {
        let server = MockServer::start().await;
        let system = Arc::new(Mutex::new(system));
        let shared = Arc::clone(&system);
        let answer = move |request: &Received| shared.lock().unwrap().answer(request);
        Mock::given(any()).respond_with(answer).mount(&server).await;
        Self { server, system }
    }

    pub(super) fn uri(&self) -> String {
        self.server.uri()
    }

    pub(super) async fn received(&self) -> Vec<Received> {
        self.server.received_requests().await.unwrap()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut System)) {
        change(&mut self.system.lock().unwrap());
    }

    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.system.lock().unwrap().log)
    }
}
