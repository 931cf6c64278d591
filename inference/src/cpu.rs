//! CPU time of the calling thread: what a look costs, not how long others made it wait.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment in the thread's CPU time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(Duration);

pub(crate) fn now() -> Moment {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Moment(Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0)))
}

pub(crate) fn since(start: Moment) -> Duration {
    now().0.saturating_sub(start.0)
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
        let start = now();
        std::thread::sleep(Duration::from_millis(60));
        assert!(since(start) < Duration::from_millis(30));
    }
}
