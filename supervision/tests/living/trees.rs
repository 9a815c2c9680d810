//! What an operator sees and can do: rows, inspection, settings.

use std::time::Duration;

use supervision::Restart::{Permanent, Transient};
use supervision::{ControlError, Dynamic, Intensity, Phase, Settings, Strategy, Supervisor, Value, start};

use crate::probe::{Journal, Msg, Probe, SOON, Start, args, phase, ping, probe, until};

#[tokio::test(start_paused = true)]
async fn the_tree_shows_every_place() {
    let journal = Journal::default();
    let (gate, to_gate) = probe("gate", Permanent, &journal);
    let pool = Dynamic::<Probe>::new("connections", 9, Transient, Intensity::default());
    let mx = Supervisor::new("mx", Strategy::OneForOne).child(&pool);
    let root = Supervisor::root(Strategy::RestForOne)
        .child(Supervisor::new("store", Strategy::OneForOne).child(gate))
        .child(Supervisor::new("listeners", Strategy::OneForOne).child(mx));
    let running = start(root, Settings::default()).await.unwrap();
    let connection = pool.start("7/odd", args("7", &journal)).unwrap();
    ping(&connection).await;
    let slow = |reply| Msg::Slow(Duration::from_secs(2), reply);
    to_gate.call(SOON, slow).await.unwrap();
    to_gate.call(SOON, Msg::Ping).await.unwrap();

    let paths = |prefix: &str| {
        running
            .tree(prefix)
            .into_iter()
            .map(|row| row.path)
            .collect::<Vec<_>>()
    };
    let all = [
        "/",
        "/store",
        "/store/gate",
        "/listeners",
        "/listeners/mx",
        "/listeners/mx/connections",
        "/listeners/mx/connections/7/odd",
    ];
    assert_eq!(paths("/"), all);
    assert_eq!(paths("/listeners/mx/"), all[4..]);
    assert_eq!(paths("/listeners/mx/connections/7/odd"), all[6..]);
    assert_eq!(paths("/stor"), [""; 0]);

    let row = running.tree("/store/gate").remove(0);
    assert_eq!(
        (row.class, row.phase, row.restarts, row.handled),
        ("probe", Phase::Up, 0, 2)
    );
    assert_eq!((row.depth, row.oldest, row.failure), (0, None, None));
    assert_eq!(
        (row.mean, row.longest),
        (Duration::from_secs(1), Duration::from_secs(2))
    );
    assert!(row.started.is_some());
    let json = serde_json::to_value(running.tree("/store/gate")).unwrap();
    assert_eq!(json[0]["path"], "/store/gate");
    assert_eq!(
        (&json[0]["longest_us"], &json[0]["phase"]),
        (&2_000_000.into(), &"up".into())
    );
    let classes: Vec<&str> = running.tree("/listeners").iter().map(|row| row.class).collect();
    assert_eq!(
        classes,
        ["supervisor", "supervisor", "dynamic_supervisor", "probe"]
    );
}

#[tokio::test(start_paused = true)]
async fn inspection_asks_the_actor() {
    let journal = Journal::default();
    let (gate, to_gate) = probe("gate", Permanent, &journal);
    let running = start(
        Supervisor::root(Strategy::OneForOne).child(gate),
        Settings::new(5_u32),
    )
    .await
    .unwrap();
    let seen = running.inspect("/gate").await.unwrap();
    assert_eq!(
        (seen.value("incarnation"), seen.value("setting")),
        (Some(&Value::Number(1)), Some(&Value::Number(5)))
    );
    assert_eq!(
        running.inspect("/").await.unwrap().value("children"),
        Some(&Value::Number(1))
    );
    assert_eq!(running.inspect("/gates").await, Err(ControlError::NotFound));
    assert_eq!(running.kill("gate"), Err(ControlError::NotFound));
    assert_eq!(running.restart("/"), Err(ControlError::NotFound));
    to_gate.cast(Msg::Hang).unwrap();
    assert_eq!(running.inspect("/gate").await, Err(ControlError::NoAnswer));
    running.kill("/gate").unwrap();
    running.kill("/").unwrap();
    running.ended().await.unwrap_err();
    assert_eq!(running.inspect("/gate").await, Err(ControlError::NotRunning));
    assert_eq!(running.restart("/gate"), Err(ControlError::NotRunning));
}

#[tokio::test(start_paused = true)]
async fn settings_travel_down_and_outlive_restarts() {
    let journal = Journal::default();
    let (gate, to_gate) = probe("gate", Permanent, &journal);
    let (slow, to_slow) = probe("slow", Permanent, &journal);
    let pool = Dynamic::<Probe>::new("pool", 9, Transient, Intensity::default());
    let inner = Supervisor::new("inner", Strategy::OneForOne)
        .child(gate)
        .child(slow)
        .child(&pool);
    let running = start(
        Supervisor::root(Strategy::OneForOne).child(inner),
        Settings::new(1_u32),
    )
    .await
    .unwrap();
    let it = pool.start("it", args("it", &journal)).unwrap();
    ping(&it).await;
    let setting = async |path: &str| running.inspect(path).await.unwrap().value("setting").cloned();
    for path in ["/inner/gate", "/inner/slow", "/inner/pool/it"] {
        assert_eq!(setting(path).await, Some(Value::Number(1)), "{path}");
    }

    // One is in the middle of its start while the settings change.
    journal.starts("slow", &[Start::Slow(Duration::from_secs(1))]);
    to_slow.cast(Msg::Panic).unwrap();
    until("it starts", || {
        phase(&running, "/inner/slow") == Some(Phase::Starting)
    })
    .await;
    let round = running.commit(&Settings::new(2_u32), SOON).await;
    assert_eq!(
        (round.told, round.acknowledged, round.by_class["probe"]),
        (5, 5, 2),
        "who starts is not told"
    );
    assert_eq!((ping(&to_slow).await, ping(&to_gate).await), (2, 1));
    for path in ["/inner/gate", "/inner/slow", "/inner/pool/it"] {
        assert_eq!(setting(path).await, Some(Value::Number(2)), "{path}");
    }
    assert_eq!(running.settings().of::<u32>(), &2);

    to_gate.cast(Msg::Panic).unwrap();
    running.kill("/inner").unwrap();
    until("all new", || journal.incarnations("slow") == 3).await;
    assert_eq!(ping(&to_gate).await, journal.incarnations("gate"));
    assert_eq!(setting("/inner/gate").await, Some(Value::Number(2)));
}
