//! CPU time of the calling thread: what a look costs, not how long others made it wait.

use std::{
    fs,
    time::{Duration, Instant},
};

/// A moment in the thread's CPU time, or in wall time where the system does not tell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    Thread(Duration),
    Wall(Instant),
}

pub(crate) fn now() -> Moment {
    thread().map_or_else(|| Moment::Wall(Instant::now()), Moment::Thread)
}

pub(crate) fn since(start: Moment) -> Duration {
    match start {
        Moment::Thread(start) => thread().map_or(Duration::ZERO, |now| now.saturating_sub(start)),
        Moment::Wall(start) => start.elapsed(),
    }
}

/// First field of Linux's schedstat: nanoseconds on a CPU. It is brought up to date when the thread yields.
fn thread() -> Option<Duration> {
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time_and_waiting_costs_none() {
        let start = now();
        let mut sum = 0u64;
        for i in 0..20_000_000u64 {
            sum = sum.wrapping_mul(31).wrapping_add(std::hint::black_box(i));
        }
        std::hint::black_box(sum);
        let worked = since(start);
        assert!(worked > Duration::from_millis(5), "{worked:?}");
        if let Moment::Thread(_) = start {
            let start = now();
            std::thread::sleep(Duration::from_millis(60));
            assert!(since(start) < Duration::from_millis(30));
        }
    }
}
