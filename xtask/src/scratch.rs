//! Where the tests write. Each makes folders of its own with keys and databases in them, and waits for the disk at every key and
//! every commit: half of what most tests take. What a test writes does not outlive the run, so it may lie in memory. What a run that was
//! killed leaves there takes memory, until the next run removes it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cargo::output_of;

/// What is in memory on any Linux.
const MEMORY: &str = "/dev/shm";

const PREFIX: &str = "lanyard-tests-";

/// How much must be free, in KiB. A whole run has a few hundred MiB at a time.
const ENOUGH: u64 = 4 * 1024 * 1024;

/// A folder in memory for one run. Dropping it removes it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// None where memory is short, nothing can be started from there, or whoever calls has chosen a place.
    pub(crate) fn in_memory() -> Option<Self> {
        remove_what_is_left(Path::new(MEMORY));
        let is_chosen = std::env::var_os("TMPDIR").is_some();
        if is_chosen || !(has_room() && may_start_programs()) {
            return None;
        }
        let folder = Path::new(MEMORY).join(format!("{PREFIX}{}", std::process::id()));
        std::fs::create_dir(&folder).ok()?;
        let scratch = Self(folder);
        // As the system's own: PostgreSQL runs as another user.
        let mode = std::fs::Permissions::from_mode(0o1777);
        std::fs::set_permissions(&scratch.0, mode).ok()?;
        Some(scratch)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn has_room() -> bool {
    let free = output_of("df", &["--output=avail", "-k", MEMORY]);
    let free = free.and_then(|said| said.lines().last()?.trim().parse::<u64>().ok());
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    free.is_some_and(|free| free >= ENOUGH) && available(&memory).is_some_and(|free| free >= ENOUGH)
}

/// In KiB.
fn available(memory: &str) -> Option<u64> {
    let rest = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    rest.trim().strip_suffix(" kB")?.parse().ok()
}

fn may_start_programs() -> bool {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mut options = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        (words.next() == Some(MEMORY))
            .then(|| words.nth(1))
            .flatten()
    });
    options
        .next_back()
        .is_some_and(|options| options.split(',').all(|option| option != "noexec"))
}

/// A run that was killed removed nothing.
fn remove_what_is_left(memory: &Path) {
    let entries = std::fs::read_dir(memory).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let lives = |id: u32| Path::new("/proc").join(id.to_string()).exists();
        if process.is_some_and(|id| id.parse().is_ok_and(|id| !lives(id))) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_a_killed_run_left_in_memory_is_removed_and_what_others_have_there_stays() {
        let memory = std::env::temp_dir().join(format!("lanyard-memory-{}", std::process::id()));
        let gone = format!("{PREFIX}{}", u32::MAX);
        let lives = format!("{PREFIX}{}", std::process::id());
        for name in [&gone, &lives, "lanyard-tests-of-somebody", "another"] {
            std::fs::create_dir_all(memory.join(name).join("inside")).unwrap();
        }
        remove_what_is_left(&memory);
        let there = |name: &str| memory.join(name).join("inside").is_dir();
        assert!(!there(&gone));
        assert!(there(&lives) && there("lanyard-tests-of-somebody") && there("another"));
        std::fs::remove_dir_all(memory).unwrap();
    }

    #[test]
    fn free_memory_is_read_as_linux_tells_it() {
        let told = "MemTotal:       24683652 kB\nMemFree:         1001760 kB\nMemAvailable:   17815980 kB\n";
        assert_eq!(available(told), Some(17_815_980));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }
}
