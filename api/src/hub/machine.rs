//! What the hub asks of the machine: files for thousands of connections, and that counting people never delays an alarm.

#[cfg(feature = "edge")]
use rustix::process::setpriority_process;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How far counting threads step back behind the alarm path; the kernel gives them a ninth of what it gives the others.
#[cfg(feature = "edge")]
const NICE: i32 = 10;

/// Takes as many open files as the machine lets this process have: each button is a connection, and the usual limit is 1,024.
pub(super) fn take_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, ?current, "the limit of open files stays as it is");
    }
}

/// Lets this thread, and those it starts, run only when nobody else wants to. On Linux the kernel reads "this process" as this thread.
#[cfg(feature = "edge")]
pub(super) fn step_back() {
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::warn!(%error, "a counting thread keeps the usual priority");
    }
}
