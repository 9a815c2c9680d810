//! Space is given back without anybody asking when the window opens, and neither before nor while there is much to do.

use std::sync::mpsc;

use config::{Profile, Source};
use message::address::DomainName;
use store::command::CreateDomain;

use super::*;

/// So many commands are a lot at once, and enough to be worth a compaction.
const MANY: u64 = ENOUGH_COMMANDS;

/// A maintenance whose clock stands until it is moved.
struct OffPeak {
    fixture: Fixture,
    store: Store,
    clock: Clock,
    maintenance: Address<Msg>,
    named: u64,
    /// As long as somebody blocks, tokio moves its paused clock for nobody.
    _holds: mpsc::Sender<()>,
}

impl OffPeak {
    /// On the second of January 1970 at this hour and minute, with a window from two to three.
    async fn at(hour: u64, minute: u64) -> Self {
        let (holds, held) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || held.recv());
        let fixture = Fixture::new().await;
        let clock = Clock::starting(Timestamp::from_secs((24 + hour) * 3600 + minute * 60 + 30));
        let settings = [Source::command_line("store.maintenance=02:00-03:00")];
        let mut args = args(&fixture, &fixture.store);
        args.clock = clock;
        args.mint = Mint::new(clock, NodeId::new(1));
        args.config = Arc::new(config::parse(&settings, Profile::Development).unwrap());
        let maintenance = alone::<Maintenance>(Settings::default(), args);
        // Once it answers it has counted what was before.
        maintenance.call(SOON, Msg::Show).await.unwrap();
        Self {
            store: fixture.store.clone(),
            maintenance,
            clock,
            fixture,
            named: 0,
            _holds: holds,
        }
    }

    async fn commands(&mut self, count: u64) {
        for _ in 0..count {
            self.named += 1;
            let create = Command::CreateDomain(CreateDomain {
                tenant: DEFAULT_TENANT,
                name: DomainName::parse_utf8(&format!("d{}.example", self.named)).unwrap(),
                catch_all: None,
            });
            self.store.propose(self.fixture.proposal(create)).await.unwrap();
        }
    }

    /// A minute goes by, and it has looked.
    async fn minute(&self) {
        // A timer may be late by its unit.
        tokio::time::advance(LOOK + Duration::from_millis(1)).await;
        // Behind the look in its mailbox, once its timer has run.
        for _ in 0..3 {
            tokio::task::yield_now().await;
            self.maintenance.call(SOON, Msg::Show).await.unwrap();
        }
    }

    fn time(&self) -> (u64, u64) {
        let minutes = self.clock.timestamp().as_millis() / 60_000;
        (minutes / 60 % 24, minutes % 60)
    }

    fn begun(&self) -> Vec<AuditEntry> {
        audit::newest(&self.store.snapshot(), None, 10).unwrap().rows
    }

    /// Waits until all that has begun has ended.
    async fn ended(&self) {
        let started = Instant::now();
        while upkeep::upkeep(&self.store.snapshot()).unwrap().is_some() {
            assert!(started.elapsed() < SOON, "it does not end");
            self.maintenance.call(SOON, Msg::Show).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn begins_when_the_window_opens_and_not_before() {
    let mut off_peak = OffPeak::at(1, 40).await;
    off_peak.commands(MANY).await;
    while off_peak.time() < (1, 59) {
        off_peak.minute().await;
        assert!(off_peak.begun().is_empty(), "at {:?}", off_peak.time());
    }
    off_peak.minute().await;
    let begun = off_peak.begun();
    assert_eq!((off_peak.time(), begun.len()), ((2, 0), 1));
    assert_eq!(
        (begun[0].who.as_str(), begun[0].line.as_str()),
        (NOBODY, "space reclaim")
    );
    off_peak.ended().await;
    assert_eq!(off_peak.begun()[0].outcome, AuditOutcome::Done);
    // Once is enough, as long as nothing has come.
    while off_peak.time() < (2, 20) {
        off_peak.minute().await;
    }
    assert_eq!(off_peak.begun().len(), 1);
    // What has come is worth another, as soon as it comes no more.
    for _ in 0..3 {
        off_peak.commands(MANY).await;
        off_peak.minute().await;
        assert_eq!(off_peak.begun().len(), 1, "it is busy");
    }
    off_peak.minute().await;
    assert_eq!(off_peak.begun().len(), 2);
    off_peak.ended().await;
    // And when it has closed, no more until the next day.
    while off_peak.time() < (3, 0) {
        off_peak.minute().await;
    }
    off_peak.commands(MANY).await;
    while off_peak.time() != (1, 59) {
        off_peak.minute().await;
        assert_eq!(off_peak.begun().len(), 2, "at {:?}", off_peak.time());
    }
    off_peak.minute().await;
    assert_eq!((off_peak.time(), off_peak.begun().len()), ((2, 0), 3));
    off_peak.ended().await;
}

#[tokio::test(start_paused = true)]
async fn little_is_not_worth_it() {
    let mut off_peak = OffPeak::at(2, 0).await;
    off_peak.commands(MANY - 1).await;
    for _ in 0..5 {
        off_peak.minute().await;
    }
    assert!(off_peak.begun().is_empty());
    off_peak.commands(1).await;
    off_peak.minute().await;
    assert_eq!(off_peak.begun().len(), 1);
    off_peak.ended().await;
}
