//! The section `server`: the node as a whole.

use std::path::PathBuf;
use std::time::Duration;

use message::{DomainName, NodeId};

use crate::profile::Profile;
use crate::section::section;

section! {
    /// The node as a whole.
    pub struct Server {
        /// The kind of use: "development", "testing", "staging" or "production". Laid below the settings of this
        /// file. Without this key it is development where there is no file, and production where there is one.
        profile: Profile = Profile::Production;

        /// The name of this server in its greeting and in Received. Production and staging have no
        /// default for it: it must be the name that DNS gives this host. Development: "localhost".
        hostname: DomainName = localhost();

        /// The number of this node, part of every id it mints; different for each node of a cluster.
        node: NodeId = NodeId::new(0);

        /// The directory that holds everything durable. It is made at the first start.
        data: PathBuf = PathBuf::from("./angarium-data");

        /// How long a stopping server lets open sessions and deliveries finish, from SIGTERM to exit.
        drain_deadline: Duration = Duration::from_secs(10), Duration::ZERO..=Duration::from_secs(3600);

        /// Connections open at once over all listeners; more are answered 421. Each idle one costs about
        /// 10 KiB, so the default is bounded by some 320 MiB.
        max_connections: u32 = 32_768, 1..=1_000_000;
    }
}

/// The name of who has none.
#[expect(clippy::expect_used, reason = "a constant that every test parses")]
fn localhost() -> DomainName {
    DomainName::parse(b"localhost").expect("localhost is a domain name")
}
