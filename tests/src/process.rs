//! What a process of this machine costs, read from `/proc`: CPU time by thread, resident memory, number of threads.

use std::{collections::BTreeMap, fs, io};

/// CPU milliseconds of each thread, by `id name`.
pub fn thread_cpu_ms(pid: u32) -> io::Result<BTreeMap<String, f64>> {
    let mut cpu = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let dir = entry?.path();
        // A thread may end between the two reads.
        let (Ok(name), Ok(spent)) = (fs::read_to_string(dir.join("comm")), fs::read_to_string(dir.join("schedstat"))) else { continue };
        // First number: nanoseconds on a processor.
        let ns: f64 = spent.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
        cpu.insert(format!("{} {}", dir.file_name().unwrap_or_default().to_string_lossy(), name.trim()), ns / 1e6);
    }
    Ok(cpu)
}

/// User and system CPU milliseconds of the threads whose name starts so; in steps of a clock tick, usually 10 ms.
pub fn user_and_system_ms(pid: u32, thread: &str) -> io::Result<(f64, f64)> {
    let mut sum = (0.0, 0.0);
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        // The name stands in brackets and may hold spaces.
        let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else { continue };
        if stat[open + 1..close].starts_with(thread) {
            let mut fields = stat[close + 2..].split_whitespace().skip(11).map(|n| n.parse::<f64>().unwrap_or(0.0) * 10.0);
            sum = (sum.0 + fields.next().unwrap_or(0.0), sum.1 + fields.next().unwrap_or(0.0));
        }
    }
    Ok(sum)
}

/// CPU milliseconds of a process, all threads that live now or have ended.
pub fn cpu_ms(pid: u32) -> io::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let close = stat.rfind(')').unwrap_or(0);
    Ok(stat[close + 2..].split_whitespace().skip(11).take(2).map(|n| n.parse::<f64>().unwrap_or(0.0) * 10.0).sum())
}

/// Resident memory, in MB of 2^20 bytes.
pub fn resident_mb(pid: u32) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kb = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).and_then(|v| v.trim().trim_end_matches(" kB").parse::<f64>().ok());
    Ok(kb.unwrap_or(0.0) / 1024.0)
}

/// Threads of a process.
pub fn threads(pid: u32) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/task"))?.count())
}

/// Sum over its labels of every `name` of a Prometheus text, or of every `name{label` that contains `label`.
pub fn metric(text: &str, name: &str, label: &str) -> f64 {
    let fits = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label);
    text.lines().filter(fits).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_threads_memory_and_used_time() {
        let pid = std::process::id();
        assert!(threads(pid).is_ok_and(|n| n >= 1));
        assert!(resident_mb(pid).is_ok_and(|mb| mb > 1.0));
        assert!(thread_cpu_ms(pid).is_ok_and(|cpu| cpu.values().sum::<f64>() > 0.0));
    }

    #[test]
    fn a_metric_is_summed_over_labels_and_not_over_longer_names() {
        let text = "# HELP a x\na{step=\"decode\"} 1.5\na{step=\"scale\"} 2\na_sum 7\na 1\n";
        assert_eq!(metric(text, "a", ""), 4.5);
        assert_eq!(metric(text, "a", "step=\"scale\""), 2.0);
    }
}
