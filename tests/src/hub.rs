//! The hub as a process: started on free ports with its own state directory, killed or ended by its process id.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures::StreamExt;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::paths;

/// How long a start may take; models are loaded and, on PostgreSQL, a schema is made.
const START: Duration = Duration::from_secs(60);

/// How a hub is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Configuration; the demo's when absent.
    pub config: PathBuf,
    /// `run` or `centre`.
    pub mode: &'static str,
    /// `rtsp://127.0.0.1:PORT` for the cameras.
    pub camera_base: Option<String>,
    /// Address of the store.
    pub store: Option<String>,
    /// Fixed MQTT address, so that buttons find the hub again after a restart.
    pub mqtt: Option<SocketAddr>,
    /// Fixed address for alarm panels, so that panels find the hub again after a restart.
    pub dc09: Option<SocketAddr>,
    /// Listen where the configuration says.
    pub own_addresses: bool,
    /// Further environment.
    pub env: Vec<(String, String)>,
    /// Put in front of the program, e.g. `strace -f -o FILE`.
    pub wrapper: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: paths::root().join("configs/demo.toml"),
            mode: "run",
            camera_base: None,
            store: None,
            mqtt: None,
            dc09: None,
            own_addresses: false,
            env: Vec::new(),
            wrapper: Vec::new(),
        }
    }
}

/// Where a hub listens.
#[derive(Debug, Clone, Deserialize)]
pub struct Addresses {
    /// HTTP without TLS.
    pub http: Option<SocketAddr>,
    /// HTTP with TLS.
    pub https: Option<SocketAddr>,
    /// MQTT without TLS.
    pub mqtt: Option<SocketAddr>,
    /// MQTT with TLS.
    pub mqtts: Option<SocketAddr>,
    /// Alarm panels over TCP.
    pub dc09: Option<SocketAddr>,
    /// Alarm panels over UDP.
    pub dc09_udp: Option<SocketAddr>,
}

/// A demonstration log-in.
#[derive(Debug, Clone, Deserialize)]
pub struct Login {
    /// Account.
    pub user: String,
    /// Password.
    pub password: String,
}

/// A running hub. Dropping it kills it.
pub struct Hub {
    child: Child,
    options: Options,
    state_dir: PathBuf,
    /// Where it listens.
    pub addresses: Addresses,
}

/// What went wrong while a hub was started or asked.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The program could not be run.
    #[error("cannot run {0}")]
    Spawn(PathBuf, #[source] io::Error),
    /// It ended before it was ready.
    #[error("the hub ended before it was ready; its log:\n{0}")]
    Ended(String),
    /// It was not ready in time.
    #[error("the hub was not ready in time; its log:\n{0}")]
    Slow(String),
    /// A file it should have written.
    #[error("{0}")]
    File(PathBuf, #[source] io::Error),
    /// HTTP failed.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// An answer that was not expected.
    #[error("{0}")]
    Answer(String),
}

/// The hub's program, beside this one in the target directory.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let dirs = own.ancestors().skip(1).take(2);
    dirs.map(|dir| dir.join("qorgan")).find(|p| p.is_file()).unwrap_or_else(|| PathBuf::from("qorgan"))
}

impl Hub {
    /// Starts a hub with this state directory and waits until it is ready.
    pub async fn start(state_dir: &Path, options: Options) -> Result<Self, HubError> {
        let (child, addresses) = spawn(state_dir, &options).await?;
        Ok(Self { child, options, state_dir: state_dir.to_path_buf(), addresses })
    }

    /// Process id (of the wrapper, if there is one).
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether its process is still there.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Stops its clockwork (SIGSTOP) without ending it, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        freeze(self.child.id(), frozen);
    }

    /// Asks it to end, and waits.
    pub fn end(&mut self) -> Option<std::process::ExitStatus> {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
        }
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Starts it again on the same state; one that has not ended yet is ended first, so that none stays behind.
    pub async fn restart(&mut self) -> Result<(), HubError> {
        self.kill();
        (self.child, self.addresses) = spawn(&self.state_dir, &self.options).await?;
        Ok(())
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        log(&self.state_dir)
    }

    /// The MQTT password of a user (`site/device`).
    pub fn mqtt_password(&self, user: &str) -> Result<String, HubError> {
        let passwords: BTreeMap<String, String> = read_json(&self.state_dir.join("secrets/mqtt.json"))?;
        passwords.get(user).cloned().ok_or_else(|| HubError::Answer(format!("there is no MQTT password for {user}")))
    }

    /// Address of the embedded broker, `mqtt://...`.
    pub fn mqtt_url(&self) -> String {
        self.addresses.mqtt.map(|a| format!("mqtt://{a}")).unwrap_or_default()
    }

    /// Base of its HTTP addresses.
    pub fn base(&self) -> String {
        self.addresses.http.map(|a| format!("http://{a}")).unwrap_or_default()
    }

    /// The demonstration log-in of a role.
    pub fn login(&self, role: &str) -> Result<Login, HubError> {
        let mut logins: BTreeMap<String, Login> = read_json(&self.state_dir.join("secrets/logins.json"))?;
        logins.remove(role).ok_or_else(|| HubError::Answer(format!("there is no log-in for {role}")))
    }

    /// Logs in with the demonstration log-in of a role.
    pub async fn log_in(&self, role: &str) -> Result<Client, HubError> {
        let login = self.login(role)?;
        let http = http_client()?;
        let body = serde_json::json!({ "user": login.user, "password": login.password });
        let response = http.post(format!("{}/api/v1/session", self.base())).json(&body).send().await?;
        if response.status() != StatusCode::OK {
            return Err(HubError::Answer(format!("log-in as {role}: {}", response.status())));
        }
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok()?.split(';').next()).map(str::to_owned);
        let session: Value = response.json().await?;
        let csrf = session["csrf"].as_str().unwrap_or_default().to_owned();
        Ok(Client { http, base: self.base(), csrf, cookie, session })
    }
}

/// SIGSTOP or SIGCONT to one process that the caller started.
pub fn freeze(pid: u32, frozen: bool) {
    use nix::sys::signal::Signal;
    if let Ok(pid) = i32::try_from(pid) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), if frozen { Signal::SIGSTOP } else { Signal::SIGCONT });
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn spawn(state_dir: &Path, options: &Options) -> Result<(Child, Addresses), HubError> {
    std::fs::create_dir_all(state_dir).map_err(|e| HubError::File(state_dir.into(), e))?;
    let addresses_file = state_dir.join("addresses.json");
    let _ = std::fs::remove_file(&addresses_file);
    let log_file = std::fs::OpenOptions::new().create(true).append(true).open(state_dir.join("hub.log"));
    let log_file = log_file.map_err(|e| HubError::File(state_dir.join("hub.log"), e))?;
    let program = program();
    let mut words: Vec<std::ffi::OsString> = options.wrapper.iter().map(Into::into).collect();
    words.push(program.clone().into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(options.mode).arg("--config").arg(&options.config).arg("--state-dir").arg(state_dir);
    command.arg("--addresses-file").arg(&addresses_file);
    if !options.own_addresses {
        command.args(["--http", "127.0.0.1:0"]).arg("--mqtt").arg(options.mqtt.map_or_else(|| "127.0.0.1:0".into(), |a| a.to_string()));
        command.arg("--dc09").arg(options.dc09.map_or_else(|| "127.0.0.1:0".into(), |a| a.to_string()));
    }
    if let Some(base) = &options.camera_base {
        command.arg("--camera-base").arg(base);
    }
    if let Some(store) = &options.store {
        command.arg("--store").arg(store);
    }
    command.envs(options.env.iter().map(|(k, v)| (k, v)));
    let log_copy = log_file.try_clone().map_err(|e| HubError::File(state_dir.join("hub.log"), e))?;
    command.stdin(Stdio::null()).stdout(log_copy).stderr(log_file);
    let mut child = command.spawn().map_err(|e| HubError::Spawn(program, e))?;
    let until = Instant::now() + START;
    loop {
        if let Ok(addresses) = read_json::<Addresses>(&addresses_file) {
            return Ok((child, addresses));
        }
        if let Ok(Some(_)) = child.try_wait() {
            return Err(HubError::Ended(log(state_dir)));
        }
        if Instant::now() > until {
            let _ = child.kill();
            return Err(HubError::Slow(log(state_dir)));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn log(state_dir: &Path) -> String {
    std::fs::read_to_string(state_dir.join("hub.log")).unwrap_or_default()
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, HubError> {
    let bytes = std::fs::read(path).map_err(|e| HubError::File(path.into(), e))?;
    serde_json::from_slice(&bytes).map_err(|e| HubError::Answer(format!("{}: {e}", path.display())))
}

/// A client that keeps cookies and speaks to loopback only.
pub fn http_client() -> Result<reqwest::Client, HubError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().cookie_store(true).no_proxy().build()?)
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    csrf: String,
    cookie: Option<String>,
    /// What log-in said.
    pub session: Value,
}

impl Client {
    /// A request with cookie and CSRF token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("x-csrf-token", &self.csrf)
    }

    /// The session's cookie, `name=value`, for a program that speaks HTTP by itself.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// GET, JSON; an answer other than 200 is an error.
    pub async fn get(&self, path: &str) -> Result<Value, HubError> {
        let response = self.request(Method::GET, path).send().await?;
        if response.status() != StatusCode::OK {
            return Err(HubError::Answer(format!("GET {path}: {}", response.status())));
        }
        Ok(response.json().await?)
    }

    /// GET, text.
    pub async fn text(&self, path: &str) -> Result<String, HubError> {
        Ok(self.request(Method::GET, path).send().await?.text().await?)
    }

    /// POST, JSON both ways; the status with the answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<(StatusCode, Value), HubError> {
        let response = self.request(Method::POST, path).json(body).send().await?;
        let status = response.status();
        Ok((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// Opens the event stream, from a cursor or from the beginning.
    pub async fn stream(&self, cursor: Option<&str>) -> Result<Events, HubError> {
        let path = cursor.map_or_else(|| "/api/v1/stream".into(), |c| format!("/api/v1/stream?cursor={c}"));
        let response = self.request(Method::GET, &path).send().await?;
        if response.status() != StatusCode::OK {
            return Err(HubError::Answer(format!("stream: {}", response.status())));
        }
        Ok(Events { response: Body::new(response), buffer: String::new() })
    }
}

type Body = std::pin::Pin<Box<dyn futures::Stream<Item = reqwest::Result<Vec<u8>>> + Send>>;

trait FromResponse {
    fn new(response: Response) -> Self;
}
impl FromResponse for Body {
    fn new(response: Response) -> Self {
        Box::pin(response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())))
    }
}

/// One server-sent event.
#[derive(Debug, Clone)]
pub struct Event {
    /// `snapshot`, `changes`, `end`.
    pub name: String,
    /// Its data.
    pub data: Value,
}

/// An open event stream.
pub struct Events {
    response: Body,
    buffer: String,
}

impl Events {
    /// The next event; none at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim_start().to_owned());
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some(Event { name, data: serde_json::from_str(&data).unwrap_or(Value::Null) });
                }
            }
            let chunk = self.response.next().await?.ok()?;
            self.buffer.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// The first changed or present alert that fits, within a time.
    pub async fn alert(&mut self, within: Duration, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let look = async {
            loop {
                let event = self.next().await?;
                let listed = event.data["alerts"].as_array().into_iter().flatten();
                let changed = event.data["changes"].as_array().into_iter().flatten().filter_map(|c| c.get("alert"));
                if let Some(alert) = listed.chain(changed).find(|a| fits(a)) {
                    return Some(alert.clone());
                }
            }
        };
        tokio::time::timeout(within, look).await.ok().flatten()
    }
}

/// Asks until the answer fits, or the time is over (then the last answer is the error).
pub async fn until<T, F, Fut>(within: Duration, mut ask: F) -> Result<T, String>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    let end = Instant::now() + within;
    loop {
        match ask().await {
            Ok(value) => return Ok(value),
            Err(last) if Instant::now() > end => return Err(last),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
