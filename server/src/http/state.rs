//! What handlers share, and how it is put together at the start.

use std::sync::Arc;

use app::{backend::Backend, page_context::ServerFacts};
use axum::{extract::FromRef, http::request::Parts};
use leptos::config::LeptosOptions;
use tokio::sync::watch;

use crate::{
    clock::{SharedClock, SharedRandom, SystemClock, SystemRandom},
    http::{access, hosts::Hosts, site::Site},
    service::{Principal, Service},
};

/// What handlers share. Cloned for each request.
#[derive(Clone)]
pub struct AppState {
    /// Tasks, runs and logs: through [`AppState::service_for`] only.
    service: Arc<Service>,
    /// The browser's part.
    pub site: Arc<Site>,
    /// Where pages find the browser's part.
    pub options: LeptosOptions,
    /// Facts that pages show.
    pub facts: Arc<ServerFacts>,
    /// The names under which browsers may reach this server.
    pub hosts: Arc<Hosts>,
    /// The clock.
    pub clock: SharedClock,
    /// The source of nonces.
    pub random: SharedRandom,
    /// Tells open log sockets that the server stops.
    pub closing: Closing,
}

impl AppState {
    /// Puts the state together.
    #[must_use]
    pub fn new(service: Service, site: Site, facts: ServerFacts, hosts: Hosts, inputs: Inputs) -> Self {
        let options = LeptosOptions::builder().output_name("app").site_pkg_dir(site.bundle_folder().as_str()).build();
        Self {
            service: Arc::new(service),
            site: Arc::new(site),
            options,
            facts: Arc::new(facts),
            hosts: Arc::new(hosts),
            clock: inputs.clock,
            random: inputs.random,
            closing: Closing::default(),
        }
    }

    /// The service, as far as somebody may use it.
    #[must_use]
    pub fn service_for(&self, principal: Principal) -> Arc<Service> {
        match principal {
            Principal::Local => self.service.clone(),
        }
    }

    /// The service as a request's page or form sees it.
    #[must_use]
    pub fn backend(&self, parts: &Parts) -> Arc<dyn Backend> {
        self.service_for(access::principal(parts))
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

/// The inputs that tests control.
#[derive(Clone)]
pub struct Inputs {
    /// The clock.
    pub clock: SharedClock,
    /// The source of randomness.
    pub random: SharedRandom,
}

impl Default for Inputs {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }
}

/// Tells open log sockets that the server stops, and waits until they have said goodbye.
#[derive(Debug, Clone)]
pub struct Closing(Arc<watch::Sender<bool>>);

impl Default for Closing {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Closing {
    /// What a socket holds as long as it is open: becomes true when the server stops.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }

    /// Tells all sockets, and waits until the last one is closed.
    pub async fn close_all(&self) {
        self.0.send_replace(true);
        self.0.closed().await;
    }
}
