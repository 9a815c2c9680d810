//! Answer: what each path says.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use supervision::Address;

use super::readiness;
use crate::{
    shell::desk::Desk,
    telemetry::{HTTP_REQUESTS_ANSWERED, recorder},
};

/// How long the readiness is waited for beyond its own limit: it is an actor, which may be starting again.
const MARGIN: Duration = Duration::from_secs(1);

/// What Prometheus asks for.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Clone)]
struct Known {
    desk: Desk,
    readiness: Address<readiness::Msg>,
}

/// The paths.
pub(super) fn router(desk: Desk, readiness: Address<readiness::Msg>) -> Router {
    Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/startupz", get(started))
        .route("/metrics", get(metrics))
        .fallback(nowhere)
        .with_state(Known { desk, readiness })
}

/// The process turns: it has just answered.
async fn healthy() -> Response {
    say(StatusCode::OK, "ok")
}

/// It has come up.
async fn started(State(known): State<Known>) -> Response {
    match known.desk.running() {
        Ok(_) => say(StatusCode::OK, "started"),
        Err(_) => say(StatusCode::SERVICE_UNAVAILABLE, "the server is still starting"),
    }
}

/// It commits.
async fn ready(State(known): State<Known>) -> Response {
    if known.desk.running().is_err() {
        return say(StatusCode::SERVICE_UNAVAILABLE, "the server is still starting");
    }
    let limit = known.desk.config().http.ready_timeout + MARGIN;
    let asked = known.readiness.call(limit, |reply| readiness::Msg::Ask { reply });
    match asked.await {
        Ok(Ok(())) => say(StatusCode::OK, "ready"),
        Ok(Err(why)) => say(StatusCode::SERVICE_UNAVAILABLE, &why),
        Err(_) => say(
            StatusCode::SERVICE_UNAVAILABLE,
            "nobody says whether the store commits",
        ),
    }
}

async fn metrics() -> Response {
    HTTP_REQUESTS_ANSWERED.count(1);
    ([(header::CONTENT_TYPE, EXPOSITION)], recorder::render()).into_response()
}

async fn nowhere() -> Response {
    say(
        StatusCode::NOT_FOUND,
        "there are /healthz, /readyz, /startupz and /metrics",
    )
}

fn say(status: StatusCode, text: &str) -> Response {
    HTTP_REQUESTS_ANSWERED.count(1);
    (status, format!("{text}\n")).into_response()
}
