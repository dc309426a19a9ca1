//! SEC-38: no input of the corpus breaks a promise, takes long, or takes much memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fuzz::{TARGETS, Target};

/// How long one input may take, on a slow machine and without optimisation.
const LONGEST: Duration = Duration::from_secs(5);
/// How much memory one input may take on top of what was there before, in KiB. A body of the largest size that the
/// gateway reads stays far below.
const MOST_MEMORY: u64 = 64 * 1024;

macro_rules! replays {
    ($($target:ident)*) => {
        /// Every target has its test here.
        const REPLAYED: &[&str] = &[$(stringify!($target)),*];

        $(#[test]
        fn $target() {
            replay(fuzz::find(stringify!($target)).expect("a target of this name"));
        })*
    };
}

mod sec_38_the_corpus_keeps_every_promise {
    use super::*;

    // SEC-38: whatever was found for each parser, replayed.
    replays! {
        form redirect_uri scope_and_pkce json jws jwe jwk did wallet_answer sd_jwt jwt_vc jwt_vp key_proof
        issuance_requests issuance_answers offers request_object links dcql status_list status_token
        door hint client_assertion cookie answer entra_callback certificates logo serials catalogue
    }

    /// SEC-38: none is forgotten.
    #[test]
    fn of_each_target_and_of_nothing_else() {
        let targets: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(targets, REPLAYED);
        let mut folders: Vec<String> = fs::read_dir(corpus())
            .expect("there is a corpus")
            .map(|folder| {
                let folder = folder.expect("a folder can be read");
                folder.file_name().into_string().expect("a plain name")
            })
            .collect();
        folders.sort();
        let mut targets: Vec<&str> = targets;
        targets.sort_unstable();
        assert_eq!(folders, targets);
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn replay(target: &Target) {
    let mut inputs: Vec<PathBuf> = fs::read_dir(corpus().join(target.name))
        .expect("a target has a corpus")
        .map(|file| file.expect("a file of the corpus can be read").path())
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "an empty corpus proves nothing");
    // What is made once, keys and the like, is not the first input's.
    (target.run)(b"");
    for input in inputs {
        let data = fs::read(&input).expect("a file of the corpus can be read");
        let name = input.display();
        println!("{name}");
        let before = resident_from_here();
        let start = Instant::now();
        (target.run)(&data);
        let took = start.elapsed();
        assert!(took < LONGEST, "{name} took {took:?}");
        if let (Some(before), Some(peak)) = (before, status("VmHWM:")) {
            let grown = peak.saturating_sub(before);
            assert!(grown < MOST_MEMORY, "{name} took {grown} KiB");
        }
    }
}

/// What this process has in memory, in KiB, its peak being forgotten; `None` where the system does not tell.
fn resident_from_here() -> Option<u64> {
    // [proc(5)] 5 sets the peak to what is there now.
    fs::write("/proc/self/clear_refs", "5").ok()?;
    status("VmRSS:")
}

fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
