//! Sheet: a configuration that a test writes anew while its node runs, as an operator edits a file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actors::process::Belonging;
use actors::reload::loader::{Loaded, Loader};
use actors::reload::receipt::Receipt;
use actors::reload::reloader::Request;
use angarium::boot::{Server, Setup};
use config::{Profile, Source, parse_sourced};
use store::record::configuration::KeptDocument;

use crate::node::{Home, Node};

/// The text of a configuration, behind what every node of a test has.
pub(crate) struct Sheet {
    base: String,
    text: Mutex<String>,
}

impl Sheet {
    pub(crate) fn of(home: &Home) -> Arc<Self> {
        let base = format!(
            "server.hostname = \"example.org\"\nserver.profile = \"development\"\nserver.data = {:?}\n\
             auth.argon2_memory = \"64KiB\"\nauth.argon2_iterations = 1\nauth.failure_delay = \"0s\"\n\
             store.reserve = \"1MiB\"\nstore.reserve_file = \"0B\"\n\
             listeners.submission.enabled = false\nlisteners.submissions.enabled = false\n",
            home.config.server.data
        );
        Arc::new(Self {
            base,
            text: Mutex::new(LISTENERS.to_owned()),
        })
    }

    /// Writes it anew; what every node has stays.
    pub(crate) fn write(&self, text: &str) {
        text.clone_into(&mut self.text.lock().unwrap());
    }

    fn document(&self) -> KeptDocument {
        KeptDocument {
            name: "angarium.toml".to_owned(),
            content: format!("{}{}", self.base, self.text.lock().unwrap()),
        }
    }
}

/// The listeners of every node, on ports that the system chooses.
pub(crate) const LISTENERS: &str =
    "listeners.mx.bind = \"127.0.0.1:0\"\nlisteners.pop3.bind = \"127.0.0.1:0\"\n";

impl Loader for Sheet {
    fn load(&self) -> Result<Loaded, Vec<String>> {
        self.reread(&[self.document()])
    }

    fn reread(&self, documents: &[KeptDocument]) -> Result<Loaded, Vec<String>> {
        let sources: Vec<Source> = documents
            .iter()
            .map(|it| Source::file(it.name.as_str(), it.content.as_bytes()))
            .collect();
        let sourced = parse_sourced(&sources, Profile::Development)
            .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Ok(Loaded {
            sourced,
            documents: documents.to_vec(),
            contents: BTreeMap::new(),
            warnings: Vec::new(),
        })
    }
}

impl Home {
    /// Starts a node that reads its configuration from a sheet, and has these belongings besides its own.
    pub(crate) async fn start_from(&self, sheet: &Arc<Sheet>, belongings: Vec<Arc<dyn Belonging>>) -> Node {
        let store = self.open().await;
        let loader: Arc<dyn Loader> = Arc::<Sheet>::clone(sheet);
        let setup = Setup {
            loaded: loader.load().expect("a good sheet"),
            loader,
            belongings,
        };
        self.node(Server::start_with(setup, store).await.expect("a server"))
    }
}

impl Node {
    /// Has it read its sheet.
    pub(crate) async fn reload(&self) -> Receipt {
        self.server.reloads().reload("a test").await.expect("a receipt")
    }

    /// What that would do.
    pub(crate) async fn plan(&self) -> Receipt {
        let request = Request {
            is_plan: true,
            ..request()
        };
        self.server.reloads().request(request).await.expect("a receipt")
    }
}

pub(crate) fn request() -> Request {
    Request {
        who: "a test".to_owned(),
        line: "reload".to_owned(),
        reason: Some("it is one".to_owned()),
        is_plan: false,
        to: None,
    }
}
