//! A Mosquitto on a free port, with the access list that the repository ships.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{PATIENCE, password};

const USERS: [&str; 7] = ["hub", "school-17/gate", "school-17/yard", "school-17/ghost", "school-18/gate", "edge/school-17", "desk/aigerim"];

pub(crate) struct Mosquitto {
    pub(crate) addr: SocketAddr,
    child: Child,
    dir: tempfile::TempDir,
}

/// A broker, or none with a line that says so where Mosquitto is not installed.
pub(crate) fn broker_or_skip() -> Option<Mosquitto> {
    if find("mosquitto").is_none() || find("mosquitto_passwd").is_none() {
        println!("skipped: mosquitto is not installed");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let passwords = dir.path().join("passwords");
    for (n, user) in USERS.iter().enumerate() {
        let mut command = Command::new(find("mosquitto_passwd").unwrap());
        if n == 0 {
            command.arg("-c");
        }
        assert!(command.arg("-b").arg(&passwords).arg(user).arg(password(user)).stderr(Stdio::null()).status().unwrap().success());
    }
    let acl = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/mosquitto/acl");
    std::fs::copy(acl, dir.path().join("acl")).unwrap();
    // A port that was free a moment ago may be taken by the time Mosquitto binds it.
    for _ in 0..5 {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        if let Some(child) = start(dir.path(), addr) {
            return Some(Mosquitto { addr, child, dir });
        }
    }
    panic!("mosquitto does not start");
}

fn find(program: &str) -> Option<std::path::PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"].iter().map(|dir| Path::new(dir).join(program)).find(|path| path.exists())
}

fn start(dir: &Path, addr: SocketAddr) -> Option<Child> {
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {dir}/passwords\nacl_file {dir}/acl\nuser root\n\
         persistence true\npersistence_location {dir}/\nmax_inflight_messages 1000\nlog_dest file {dir}/log\n",
        port = addr.port(),
        dir = dir.display()
    );
    std::fs::write(dir.join("mosquitto.conf"), text).unwrap();
    let mut child = Command::new(find("mosquitto")?)
        .arg("-c")
        .arg(dir.join("mosquitto.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if TcpStream::connect(addr).is_ok() {
            return Some(child);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

impl Mosquitto {
    /// Ends the broker; it forgets nothing that it wrote down.
    pub(crate) fn halt(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }

    /// Starts it again on the same port.
    pub(crate) fn resume(&mut self) {
        self.child = start(self.dir.path(), self.addr).expect("mosquitto starts again");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
