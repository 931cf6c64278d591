//! A private PostgreSQL for one test: made in a temporary folder, reached by a socket in it, gone with it.
//!
//! Debian's package brings the programs (`postgresql`); its own service is not touched. PostgreSQL refuses to
//! run as root: then it runs as the package's user `postgres`, who gets the folder.

use std::{
    fs::File,
    io,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid, User},
};
use sqlx::{Connection, PgConnection};

/// How long a server may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The programs are not installed.
    #[error("PostgreSQL is not installed: apt-get install postgresql")]
    NotInstalled,
    /// Root needs another user to run it as.
    #[error("there is no user postgres to run PostgreSQL as")]
    NoUser,
    /// A file or process could not be made.
    #[error("cannot {0}")]
    Io(&'static str, #[source] io::Error),
    /// A program said no.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it said.
        output: String,
    },
    /// A database could not be made.
    #[error("PostgreSQL refused")]
    Sql(#[from] sqlx::Error),
}

/// A running server; stopped when dropped.
#[derive(Debug)]
pub struct Postgres {
    dir: tempfile::TempDir,
    bin: PathBuf,
    server: Option<Child>,
    databases: AtomicU32,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub async fn start() -> Result<Self, PostgresError> {
        let bin = programs().ok_or(PostgresError::NotInstalled)?;
        let dir = tempfile::Builder::new().prefix("qorgan-pg-").tempdir().map_err(|e| PostgresError::Io("make a folder", e))?;
        if let Some(user) = other_user()? {
            chown(dir.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .map_err(|e| PostgresError::Io("give the folder away", e))?;
        }
        let mut initdb = as_user(&bin.join("initdb"))?;
        initdb
            .args(["--username=qorgan", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(dir.path().join("data"));
        let done = initdb.current_dir(dir.path()).output().map_err(|e| PostgresError::Io("run initdb", e))?;
        if !done.status.success() {
            let output = String::from_utf8_lossy(&done.stderr).into_owned();
            return Err(PostgresError::Failed { program: "initdb", output });
        }
        let mut postgres = Self { dir, bin, server: None, databases: AtomicU32::new(0) };
        postgres.resume().await?;
        Ok(postgres)
    }

    /// Starts it again after [`Self::stop`], with its data.
    pub async fn resume(&mut self) -> Result<(), PostgresError> {
        let log = self.dir.path().join("log");
        let file = || File::options().create(true).append(true).open(&log).map_err(|e| PostgresError::Io("open the log", e));
        let mut command = as_user(&self.bin.join("postgres"))?;
        command.arg("-D").arg(self.dir.path().join("data")).arg("-k").arg(self.dir.path());
        // No port of this machine is used; nothing here has to survive a power cut.
        command.args(["-c", "listen_addresses=", "-c", "fsync=off"]).current_dir(self.dir.path());
        let mut server =
            command.stdin(Stdio::null()).stdout(file()?).stderr(file()?).spawn().map_err(|e| PostgresError::Io("run postgres", e))?;
        let since = Instant::now();
        loop {
            let ended = server.try_wait().map_err(|e| PostgresError::Io("look after postgres", e))?.is_some();
            match PgConnection::connect(&self.url("postgres")).await {
                Ok(connection) => {
                    self.server = Some(server);
                    return Ok(connection.close().await?);
                }
                Err(error) if ended || since.elapsed() > START_LIMIT => {
                    end(&mut server);
                    let output = format!("{error}\n{}", std::fs::read_to_string(&log).unwrap_or_default());
                    return Err(PostgresError::Failed { program: "postgres", output });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Stops the server; its data stay.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            end(&mut server);
        }
    }

    /// Stops the clockwork of the server and of its connections (SIGSTOP), or lets them go on.
    pub fn freeze(&self, frozen: bool) {
        let Some(server) = &self.server else { return };
        for pid in std::iter::once(server.id()).chain(children(server.id())) {
            crate::hub::freeze(pid, frozen);
        }
    }

    /// The address of a new, empty database.
    pub async fn database(&self) -> Result<String, PostgresError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await?;
        connection.close().await?;
        Ok(self.url(&name))
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://qorgan@localhost/{database}?host={}", self.dir.path().display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    tasks.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Fast shutdown, by its process id and no other.
fn end(server: &mut Child) {
    if let Ok(pid) = i32::try_from(server.id()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
    }
    let _ = server.wait();
}

/// Folder of the programs: the newest version that Debian has installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).filter(|bin| bin.join("postgres").exists());
    bins.max_by_key(|bin| version(bin))
}

fn version(bin: &Path) -> u32 {
    bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0)
}

/// Whom to run it as, for root.
fn other_user() -> Result<Option<User>, PostgresError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    User::from_name("postgres").ok().flatten().map(Some).ok_or(PostgresError::NoUser)
}

fn as_user(program: &Path) -> Result<Command, PostgresError> {
    let Some(user) = other_user()? else { return Ok(Command::new(program)) };
    // setpriv becomes the program: its process id is the server's.
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid)]).args(["--clear-groups", "--"]).arg(program);
    Ok(command)
}
