//! Mosquitto for one test, with the access list that we ship: on a free port, ended with its owner.

use std::{
    fmt::Write as _,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::paths;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running Mosquitto.
#[derive(Debug)]
pub struct Mosquitto {
    /// Where it listens.
    pub addr: SocketAddr,
    config: PathBuf,
    child: Child,
}

impl Mosquitto {
    /// Starts one with these users, who share a password. Its files go into `dir`.
    pub fn start<'a>(dir: &Path, users: impl IntoIterator<Item = &'a str>, password: &str) -> io::Result<Self> {
        let mut passwords = String::new();
        for user in users {
            let _ = writeln!(passwords, "{user}:{password}");
        }
        std::fs::write(dir.join("passwords"), passwords)?;
        let hashed = Command::new("mosquitto_passwd").arg("-U").arg(dir.join("passwords")).status()?;
        if !hashed.success() {
            return Err(io::Error::other("mosquitto_passwd failed"));
        }
        std::fs::copy(paths::root().join("configs/mosquitto/acl"), dir.join("acl"))?;
        let addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous false\npassword_file {dir}/passwords\nacl_file {dir}/acl\nuser root\nmax_inflight_messages 1000\n",
            addr.port(),
            dir = dir.display()
        );
        let config = dir.join("mosquitto.conf");
        std::fs::write(&config, text)?;
        let child = spawn(&config, addr)?;
        Ok(Self { addr, config, child })
    }

    /// Ends it at once. It keeps nothing on disk.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again at the same address.
    pub fn restart(&mut self) -> io::Result<()> {
        self.child = spawn(&self.config, self.addr)?;
        Ok(())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

fn spawn(config: &Path, addr: SocketAddr) -> io::Result<Child> {
    let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"].iter().find(|p| Path::new(p).exists()).unwrap_or(&"mosquitto");
    let mut child = Command::new(program).arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(addr).is_err() {
        if Instant::now() > until || child.try_wait()?.is_some() {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::other("mosquitto does not listen"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}
