//! What the operating system knows of this process. Linux says it under `/proc`; elsewhere nothing is said.

use super::text::Text;

/// Ticks of the processor's time in a second, as `/proc` counts them on every Linux there is (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Writes the usual `process_…` figures.
pub fn write(text: &mut Text) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kib) = after(&status, "VmRSS:") {
        let help = "Memory of the process that is in use.";
        text.single("process_resident_memory_bytes", "gauge", help, kib * 1024);
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(ticks) = processor_ticks(&stat) {
        #[allow(clippy::cast_precision_loss)] // 2^52 ticks are a million years
        let seconds = ticks as f64 / TICKS;
        let help = "Time of the processor that was used.";
        text.single("process_cpu_seconds_total", "counter", help, seconds);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // Reading the folder is one of them.
        let open = files.count().saturating_sub(1);
        text.single("process_open_fds", "gauge", "Open files.", open);
    }
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = after(&limits, "Max open files") {
        let help = "How many files may be open.";
        text.single("process_max_fds", "gauge", help, most);
    }
}

/// The first number behind the words that a line begins with.
fn after(text: &str, words: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(words))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// User and system time, the fourteenth and fifteenth field. The second is the program's name in brackets and may hold
/// spaces [proc(5)].
fn processor_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_bracket_in_its_name_is_read_all_the_same() {
        let stat = "17 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0";
        assert_eq!(processor_ticks(stat), Some(300));
        assert_eq!(
            after("Max open files  1024  4096 files", "Max open files"),
            Some(1024)
        );
        assert_eq!(processor_ticks(""), None);
    }
}
