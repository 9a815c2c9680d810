//! What recording costs: a counter, a histogram, and what one message records on its way from MAIL into a mailbox.

use std::{sync::Arc, time::Duration};

use actors::telemetry::{self, sender::StatsdSender};
use config::{Config, Profile};
use divan::{Bencher, bench};
use supervision::{Settings, alone};

fn main() {
    divan::main();
}

/// Runs a benchmark while a sender tells a daemon that nobody runs.
fn told(bench: impl FnOnce()) {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        return;
    };
    let mut config = Config::of(Profile::Development);
    config.statsd.address = config::Endpoint::new("127.0.0.1:9");
    let _runs = runtime.enter();
    let sender = alone::<StatsdSender>(Settings::shared(Arc::new(config)), ());
    // It sends from its start on; what it says of itself tells that it has begun.
    runtime.block_on(async { sender.inspect().await });
    bench();
}

fn one_message() {
    telemetry::SMTP_RECIPIENTS_ACCEPTED.count(1);
    telemetry::SMTP_MESSAGES_TIME.took(Duration::from_micros(750));
    telemetry::SMTP_MESSAGES_ACCEPTED.count(1);
    telemetry::SMTP_MESSAGES_SIZE.record(4_096);
    for _ in 0..4 {
        telemetry::QUEUE_WINDOW_WAITING.set(3);
        telemetry::QUEUE_WINDOW_ASSIGNED.set(5);
    }
    telemetry::QUEUE_ATTEMPTS_TIME.took(Duration::from_micros(900));
    telemetry::QUEUE_RECIPIENTS_DELIVERED.count(1);
    telemetry::QUEUE_DELIVERIES_TIME.took(Duration::from_micros(1_900));
}

#[bench(sample_count = 200, sample_size = 2_000)]
fn counter(bencher: Bencher<'_, '_>) {
    bencher.bench(|| telemetry::SMTP_MESSAGES_ACCEPTED.count(1));
}

#[bench(sample_count = 200, sample_size = 2_000)]
fn histogram(bencher: Bencher<'_, '_>) {
    bencher.bench(|| telemetry::SMTP_MESSAGES_TIME.took(Duration::from_micros(750)));
}

#[bench(sample_count = 200, sample_size = 500)]
fn message(bencher: Bencher<'_, '_>) {
    bencher.bench(one_message);
}

#[bench(sample_count = 200, sample_size = 500, threads = 2)]
fn message_on_two_threads(bencher: Bencher<'_, '_>) {
    bencher.bench(one_message);
}

#[bench(sample_count = 200, sample_size = 500)]
fn message_with_statsd(bencher: Bencher<'_, '_>) {
    told(|| bencher.bench(one_message));
}
