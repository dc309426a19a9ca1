//! What the figures were measured on, and of what.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;

use super::server::Folder;
use crate::cargo::output_of;

/// Machine, disk, commit and day in a sentence or two.
pub(super) struct Machine {
    pub(super) sentence: String,
}

/// Writes that are waited for; the median of them is told.
const WRITES: usize = 200;

pub(super) fn describe(root: &Path) -> anyhow::Result<Machine> {
    let read = |file: &str| fs::read_to_string(file).with_context(|| file.to_owned());
    let processor = field(&read("/proc/cpuinfo")?, "model name").unwrap_or_default();
    let memory = field(&read("/proc/meminfo")?, "MemTotal").unwrap_or_default();
    let memory: u64 = memory.split(' ').next().unwrap_or_default().parse()?;
    let kernel = read("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    let [half, most] = fsync_microseconds()?;
    let git = |arguments: &[&str]| {
        let folder = root.display().to_string();
        output_of("git", &[&["-C", &folder], arguments].concat())
    };
    let mut commit = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "none".to_owned());
    if git(&["status", "--porcelain", "--", "crates", "xtask", "bench"])
        .is_some_and(|changes| !changes.is_empty())
    {
        commit.push_str(" with changes");
    }
    let day = output_of("date", &["-u", "+%Y-%m-%d"]).unwrap_or_default();
    Ok(Machine {
        sentence: format!(
            "{day}, commit {commit}. {processor}, {cores} cores, {} GB of memory, Linux {}. A write of 4 KiB is on \
             its disk after {half} µs (median; {most} µs in one of a hundred).",
            (memory + 500_000) / 1_000_000,
            kernel.trim(),
        ),
    })
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Median and 99th percentile of the wait for the disk, where the databases of the benchmarks lie.
fn fsync_microseconds() -> anyhow::Result<[u128; 2]> {
    let folder = Folder::new()?;
    let mut file = File::create(folder.join("disk"))?;
    let mut took = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        file.write_all(&[7; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        took.push(began.elapsed().as_micros());
    }
    took.sort_unstable();
    Ok([took[WRITES / 2], took[WRITES * 99 / 100]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_stands_after_its_colon() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(
            field(text, "model name").as_deref(),
            Some("Some CPU @ 2 GHz")
        );
        assert_eq!(field(text, "none"), None);
    }
}
