//! A real server for one test: started, sealed, killed and restarted, and ended with the test.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::Duration;

use pollination_auth_vault::{VaultAuth, VaultStore, VaultStoreBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Names the program of the server; `cargo xtask engines` sets it.
const PROGRAM: &str = "POLLINATION_TEST_BAO";

/// How often a server is asked whether it is ready: 3 000 times in a minute.
const POLLS: u32 = 3000;

/// The root token of a server in memory.
const ROOT: &str = "root";

const POLL: Duration = Duration::from_millis(20);

/// Limits the note that there is no server to one.
static LEFT_OUT: Once = Once::new();

/// A running server.
pub(crate) struct Engine {
    program: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
    folder: TempDir,
    address: String,
    key: String,
    root: String,
    http: reqwest::Client,
}

/// Returns the program, or `None` after one line about what is left out.
pub(crate) fn program() -> Option<PathBuf> {
    let program = std::env::var_os(PROGRAM).map(PathBuf::from);
    if program.is_none() {
        LEFT_OUT.call_once(|| {
            // Past the capture of the test harness: everybody should see it.
            let _closed = writeln!(
                std::io::stderr(),
                "left out: the tests on a real OpenBao server; `cargo xtask engines` runs them"
            );
        });
    }
    program
}

impl Engine {
    /// Starts a server in memory with an empty KV version 2 at `secret`, if there is a program.
    pub(crate) async fn start() -> Option<Self> {
        let program = program()?;
        let [port, _] = free_ports();
        let arguments = [
            "server".to_owned(),
            "-dev".to_owned(),
            "-dev-no-store-token".to_owned(),
            format!("-dev-root-token-id={ROOT}"),
            format!("-dev-listen-address=127.0.0.1:{port}"),
        ];
        let mut engine = Self {
            program,
            arguments: arguments.to_vec(),
            child: None,
            folder: tempfile::tempdir().unwrap(),
            address: format!("http://127.0.0.1:{port}"),
            key: String::new(),
            root: ROOT.to_owned(),
            http: reqwest::Client::new(),
        };
        engine.spawn().await;
        engine.ready().await;
        engine.mount_is_ready("secret").await;
        Some(engine)
    }

    /// Starts a server that keeps its storage when it is killed.
    pub(crate) async fn start_durable() -> Option<Self> {
        let plain = json!({"tls_disable": true});
        Self::start_at("http", plain, reqwest::Client::new()).await
    }

    /// Starts such a server, which listens with these settings and is asked by this client.
    pub(crate) async fn start_at(
        scheme: &str,
        listener: Value,
        http: reqwest::Client,
    ) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let [port, cluster] = free_ports();
        let address = format!("{scheme}://127.0.0.1:{port}");
        let mut listener = listener;
        listener["address"] = json!(format!("127.0.0.1:{port}"));
        listener["cluster_address"] = json!(format!("127.0.0.1:{cluster}"));
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let settings = json!({
            "storage": {"raft": {"path": data, "node_id": "one"}},
            "listener": [{"tcp": listener}],
            "api_addr": address,
            "cluster_addr": format!("https://127.0.0.1:{cluster}"),
        });
        std::fs::write(folder.path().join("settings.json"), settings.to_string()).unwrap();
        let settings = folder.path().join("settings.json");
        let mut engine = Self {
            program,
            arguments: vec![
                "server".to_owned(),
                format!("-config={}", settings.display()),
            ],
            child: None,
            folder,
            address,
            key: String::new(),
            root: String::new(),
            http,
        };
        engine.spawn().await;
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let keys = engine.must("PUT", "sys/init", Some(shares)).await;
        engine.key = text(&keys, "/keys_base64/0");
        engine.root = text(&keys, "/root_token");
        engine.unseal().await;
        engine
            .mount("secret", json!({"type": "kv", "options": {"version": "2"}}))
            .await;
        Some(engine)
    }

    /// Starts the program on what it stored before, and waits until it answers.
    async fn spawn(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_remove("BAO_TOKEN")
            .stdin(Stdio::null())
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn();
        self.child = Some(child.unwrap());
        for _ in 0..POLLS {
            if self.health().await.is_some() {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
        let log = std::fs::read_to_string(self.file("log")).unwrap_or_default();
        panic!("the server does not answer: {log}");
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// Returns the builder of a store that may do everything.
    pub(crate) fn store(&self) -> VaultStoreBuilder {
        VaultStore::builder(&self.address).auth(VaultAuth::token(&self.root))
    }

    /// Returns the status code of the health check: 200 if the server is active.
    async fn health(&self) -> Option<u16> {
        let url = format!("{}/v1/sys/health", self.address);
        let reply = self.http.get(url).send().await.ok()?;
        Some(reply.status().as_u16())
    }

    /// Calls the API as root.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_in(None, method, path, body).await
    }

    /// Calls the API as root in a namespace.
    pub(crate) async fn call_in(
        &self,
        namespace: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("{}/v1/{path}", self.address);
        let mut request = self.http.request(method.parse().unwrap(), url);
        request = request.header("X-Vault-Token", &self.root);
        if let Some(namespace) = namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        let body = reply.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Calls the API as root; the call has to succeed.
    pub(crate) async fn must(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, reply) = self.call(method, path, body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {reply}"
        );
        reply
    }

    pub(crate) async fn mount(&self, path: &str, settings: Value) {
        self.must("POST", &format!("sys/mounts/{path}"), Some(settings))
            .await;
        self.mount_is_ready(path).await;
    }

    /// Waits for a secrets engine: version 2 refuses everything for a moment.
    async fn mount_is_ready(&self, path: &str) {
        for _ in 0..POLLS {
            if self.call("GET", &format!("{path}/config"), None).await.0 != 400 {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("the secrets engine does not become ready");
    }

    /// Creates a policy with these rules.
    pub(crate) async fn policy(&self, name: &str, rules: &str) {
        let body = json!({ "policy": rules });
        self.must("PUT", &format!("sys/policies/acl/{name}"), Some(body))
            .await;
    }

    /// Creates a token with these properties.
    pub(crate) async fn token(&self, properties: Value) -> String {
        let reply = self
            .must("POST", "auth/token/create", Some(properties))
            .await;
        text(&reply, "/auth/client_token")
    }

    /// Enables AppRole and creates a role with these properties; returns role id and secret id.
    pub(crate) async fn app_role(&self, properties: Value) -> (String, String) {
        self.must("POST", "sys/auth/approle", Some(json!({"type": "approle"})))
            .await;
        self.must("POST", "auth/approle/role/app", Some(properties))
            .await;
        let role = self
            .must("GET", "auth/approle/role/app/role-id", None)
            .await;
        let secret = self
            .must("POST", "auth/approle/role/app/secret-id", None)
            .await;
        (
            text(&role, "/data/role_id"),
            text(&secret, "/data/secret_id"),
        )
    }

    pub(crate) async fn seal(&self) {
        self.must("PUT", "sys/seal", None).await;
    }

    /// Unseals the server and waits until it is active.
    pub(crate) async fn unseal(&self) {
        self.must("PUT", "sys/unseal", Some(json!({"key": self.key})))
            .await;
        self.ready().await;
    }

    /// Waits until the server is active.
    async fn ready(&self) {
        for _ in 0..POLLS {
            if self.health().await == Some(200) {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("the server does not become active");
    }

    /// Kills the server, as a crash of its machine would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that has ended by itself can't be killed any more.
            let _ended = child.kill();
            let _waited = child.wait();
        }
    }

    /// Starts a killed server again; it is sealed.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        self.spawn().await;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the text at a place of a reply.
pub(crate) fn text(reply: &Value, pointer: &str) -> String {
    let text = reply.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no {pointer} in {reply}"))
        .to_owned()
}

/// Returns two ports that are free now.
fn free_ports() -> [u16; 2] {
    // Both are bound at once, so that they differ.
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
