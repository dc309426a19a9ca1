//! Memory and CPU time of a process, as Linux tells them.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// One look at a process, or at several together.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// CPU time since it began, in user mode and in the kernel.
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub resident: u64,
    /// The most that it ever was, in bytes.
    pub peak: u64,
    /// The most that it ever was of the one of several that was the largest, in bytes.
    pub largest_peak: u64,
}

/// The kernel counts CPU time in hundredths of a second on every architecture that there is (`USER_HZ`).
const TICKS: u64 = 100;

/// Looks at several, and adds up.
pub fn look_at_all(processes: &[u32]) -> anyhow::Result<Look> {
    let nothing = Look {
        cpu: Duration::ZERO,
        resident: 0,
        peak: 0,
        largest_peak: 0,
    };
    processes.iter().try_fold(nothing, |sum, process| {
        let one = look(&process.to_string())?;
        Ok(Look {
            cpu: sum.cpu + one.cpu,
            resident: sum.resident + one.resident,
            peak: sum.peak + one.peak,
            largest_peak: sum.largest_peak.max(one.peak),
        })
    })
}

/// Looks at a process; `self` is this one.
pub fn look(process: &str) -> anyhow::Result<Look> {
    let read = |file: &str| {
        let path = format!("/proc/{process}/{file}");
        fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
    };
    let status = read("status")?;
    let peak = kilobytes(&status, "VmHWM:").context("no VmHWM")? * 1024;
    Ok(Look {
        cpu: cpu(&read("stat")?).context("the CPU time is not where it was")?,
        resident: kilobytes(&status, "VmRSS:").context("no VmRSS")? * 1024,
        peak,
        largest_peak: peak,
    })
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15; the second, a name in brackets, may hold anything.
fn cpu(stat: &str) -> Option<Duration> {
    let mut after_name = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: u64 = after_name.next()?.parse().ok()?;
    let system: u64 = after_name.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_linux_says_is_read_whatever_the_process_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 300 1000 200";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(1024));
        assert!(look("self").unwrap().resident > 0);
    }

    #[test]
    fn several_are_added_up_and_the_largest_is_told_by_itself() {
        let own = std::process::id();
        let twice = look_at_all(&[own, own]).unwrap();
        assert!(twice.largest_peak > 0);
        // The peak may grow between the two looks.
        assert!(twice.peak > twice.largest_peak && twice.peak <= 2 * twice.largest_peak);
    }
}
