//! What the steps of a picture cost, in CPU time of the thread that does them.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of the calling thread since it began.
pub(super) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Measures steps that follow each other in one thread.
pub(super) struct Steps {
    last: Duration,
}

impl Steps {
    pub(super) fn start() -> Self {
        Self { last: thread_cpu() }
    }

    /// CPU time since the step before.
    pub(super) fn lap(&mut self) -> Duration {
        let (now, before) = (thread_cpu(), self.last);
        self.last = now;
        now.saturating_sub(before)
    }
}

/// Adds to what a step has cost: `qorgan_step_cpu_seconds`.
pub(super) fn spent(step: &'static str, cpu: Duration) {
    metrics::histogram!("qorgan_step_cpu_seconds", "step" => step).record(cpu.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_costs_nothing_and_work_does() {
        let mut steps = Steps::start();
        std::thread::sleep(Duration::from_millis(40));
        assert!(steps.lap() < Duration::from_millis(20));
        let mut sum = 0u64;
        while thread_cpu() < steps.last + Duration::from_millis(5) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(steps.lap() >= Duration::from_millis(5));
    }
}
