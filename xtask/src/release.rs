//! `cargo xtask release`: the program with its bill of materials, their digests, and the releaser's signature over those
//! (SEC-38; docs/release.md). The same tools that whoever receives it has: `sha256sum`, and `ssh-keygen` for the signature.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::cargo::{SHIPPED, cargo, output_of, succeeds};

/// Names every file beside it with its digest.
const SUMS: &str = "SHA256SUMS";
/// What the signature is for: one of this key's for anything else is none here. [PROTOCOL.sshsig]
const NAMESPACE: &str = "lanyard-release";
/// Who signs, as the list of signers names them.
const SIGNER: &str = "releaser";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Build it, sum it, and sign it with this key.
    Make { out: PathBuf, key: Option<PathBuf> },
    /// Check what is in a folder by a list of signers.
    Check { folder: PathBuf, signers: PathBuf },
}

impl Plan {
    pub(crate) fn parse(arguments: &[&str]) -> anyhow::Result<Self> {
        match *arguments {
            ["--out", out] => Ok(Self::Make {
                out: out.into(),
                key: None,
            }),
            ["--out", out, "--key", key] => Ok(Self::Make {
                out: out.into(),
                key: Some(key.into()),
            }),
            ["--check", folder, "--signers", signers] => Ok(Self::Check {
                folder: folder.into(),
                signers: signers.into(),
            }),
            _ => anyhow::bail!(
                "say `release --out FOLDER [--key FILE]` or `release --check FOLDER --signers FILE`"
            ),
        }
    }
}

pub(crate) fn run(root: &Path, plan: &Plan) -> anyhow::Result<bool> {
    match plan {
        Plan::Make { out, key } => make(root, out, key.as_deref()).map(|()| true),
        Plan::Check { folder, signers } => {
            check(folder, signers)?;
            println!(
                "{}: signed by one of the signers, and every file is as it was signed.",
                folder.display()
            );
            Ok(true)
        }
    }
}

fn make(root: &Path, out: &Path, key: Option<&Path>) -> anyhow::Result<()> {
    anyhow::ensure!(
        !out.exists(),
        "{} is there already: name another folder",
        out.display()
    );
    let changes = output_of("git", &["-C", text(root)?, "status", "--porcelain"]);
    anyhow::ensure!(
        changes
            .context("git does not say whether the tree is as it was committed")?
            .is_empty(),
        "the tree has changes: nobody else could build what comes of it; commit them first"
    );
    let host = output_of("rustc", &["-vV"]).context("rustc cannot be started")?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say its host")?;
    let target = crate::cargo::target_folder(root).join("shipped");
    let time = output_of("git", &["-C", text(root)?, "log", "-1", "--format=%ct"]);
    let time = time.context("git does not say when the tree was committed")?;
    anyhow::ensure!(
        succeeds(&mut build(root, &target, &time)?)?,
        "the program could not be built"
    );
    let built = target.join(SHIPPED).join("lanyard");
    let version = output_of(text(&built)?, &["--version"]).context("the program does not start")?;
    let version = version.rsplit(' ').next().unwrap_or_default();
    let name = format!("lanyard-{version}-{host}");
    fs::create_dir_all(out)?;
    fs::copy(&built, out.join(&name))?;
    let materials = output_of(text(&built)?, &["sbom"]);
    let materials = materials.context("the program does not say what it is made of")? + "\n";
    fs::write(out.join(format!("{name}.cdx.json")), materials)?;
    sum(out)?;
    let Some(key) = key else {
        println!(
            "{}: not signed. Whoever releases it signs it with a key of theirs:\n  ssh-keygen -Y sign -f KEY -n {NAMESPACE} {}",
            out.display(),
            out.join(SUMS).display()
        );
        return Ok(());
    };
    sign(out, key)?;
    println!("{}: built, summed and signed.", out.display());
    Ok(())
}

/// The same bytes from whichever folder and at whichever time: neither stands in what is compiled.
fn build(root: &Path, target: &Path, time: &str) -> anyhow::Result<Command> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let home = home.context("neither CARGO_HOME nor HOME is set")?;
    let (root_name, home_name) = (text(root)?, text(&home)?);
    let mut build = cargo(root);
    build
        .args([
            "build",
            "--profile",
            SHIPPED,
            "--locked",
            "--package",
            "lanyard",
            "--target-dir",
        ])
        .arg(target)
        .env("SOURCE_DATE_EPOCH", time)
        .env(
            "RUSTFLAGS",
            format!(
                "--remap-path-prefix={root_name}=/lanyard --remap-path-prefix={home_name}=/cargo"
            ),
        )
        .env(
            "CFLAGS",
            format!("-ffile-prefix-map={root_name}=/lanyard -ffile-prefix-map={home_name}=/cargo"),
        );
    Ok(build)
}

/// Writes the digests of all files in a folder, in the form that `sha256sum --check` reads.
fn sum(folder: &Path) -> anyhow::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().into_string();
        names.push(name.ok().context("a name is not Unicode")?);
    }
    names.sort();
    let output = Command::new("sha256sum")
        .args(&names)
        .current_dir(folder)
        .output()?;
    anyhow::ensure!(output.status.success(), "sha256sum failed");
    fs::write(folder.join(SUMS), output.stdout)?;
    Ok(())
}

/// Signs the digests, and checks at once that the public half believes it: `KEY.pub` lies beside the key.
fn sign(folder: &Path, key: &Path) -> anyhow::Result<()> {
    let sums = folder.join(SUMS);
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"])
        .arg(key)
        .arg(&sums);
    anyhow::ensure!(
        succeeds(&mut sign)?,
        "ssh-keygen did not sign with {}",
        key.display()
    );
    let mut public = key.as_os_str().to_owned();
    public.push(".pub");
    let public = fs::read_to_string(&public)
        .with_context(|| format!("the public half, {}", public.display()))?;
    let signers = folder.join("signers.draft");
    fs::write(
        &signers,
        format!("{SIGNER} namespaces=\"{NAMESPACE}\" {public}"),
    )?;
    let checked = check(folder, &signers);
    fs::remove_file(signers)?;
    checked
}

/// The signature over the digests by one of the signers; then the digests of everything that is named.
fn check(folder: &Path, signers: &Path) -> anyhow::Result<()> {
    let sums = File::open(folder.join(SUMS)).context(SUMS)?;
    let mut verify = Command::new("ssh-keygen");
    verify
        .args(["-Y", "verify", "-n", NAMESPACE, "-I", SIGNER, "-f"])
        .arg(signers)
        .arg("-s")
        .arg(folder.join(format!("{SUMS}.sig")))
        .stdin(sums)
        .stdout(Stdio::null());
    let verified = verify.status().context("ssh-keygen cannot be started")?;
    anyhow::ensure!(
        verified.success(),
        "release-not-signed: none of the signers signed {SUMS} as it is"
    );
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--strict", "--quiet", SUMS])
        .current_dir(folder);
    anyhow::ensure!(
        succeeds(&mut sums)?,
        "release-changed: a file is not what was signed, or is not there"
    );
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path is not Unicode")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(folder: &Path, name: &str) -> PathBuf {
        let key = folder.join(name);
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
        assert!(make.status().unwrap().success());
        key
    }

    /// What somebody has who knows the releaser's key.
    fn signers(key: &Path) -> PathBuf {
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let file = key.with_extension("signers");
        fs::write(&file, format!("{SIGNER} {public}")).unwrap();
        file
    }

    #[test]
    fn sec_38_a_release_that_was_changed_or_signed_by_another_is_refused() {
        let own = std::env::temp_dir().join(format!("lanyard-release-{}", std::process::id()));
        let folder = own.join("release");
        fs::create_dir_all(&folder).unwrap();
        let (key, other) = (key(&own, "key"), key(&own, "other"));
        let signers = [&key, &other].map(|key| signers(key));
        fs::write(folder.join("lanyard-1"), "the program").unwrap();
        fs::write(folder.join("lanyard-1.cdx.json"), "{}").unwrap();
        sum(&folder).unwrap();
        let code = |signers: &Path| check(&folder, signers).unwrap_err().to_string();
        assert!(code(&signers[0]).starts_with("release-not-signed: "));
        sign(&folder, &key).unwrap();
        check(&folder, &signers[0]).unwrap();
        assert!(code(&signers[1]).starts_with("release-not-signed: "));
        // The program, and then the list that names it.
        fs::write(folder.join("lanyard-1"), "another").unwrap();
        assert!(code(&signers[0]).starts_with("release-changed: "));
        sum_again(&folder);
        assert!(code(&signers[0]).starts_with("release-not-signed: "));
        fs::write(folder.join("lanyard-1"), "the program").unwrap();
        sum_again(&folder);
        check(&folder, &signers[0]).unwrap();
        fs::remove_file(folder.join("lanyard-1.cdx.json")).unwrap();
        assert!(code(&signers[0]).starts_with("release-changed: "));
        // What the key signed for something else is no release.
        let sums = folder.join(SUMS);
        fs::remove_file(folder.join(format!("{SUMS}.sig"))).unwrap();
        let mut elsewhere = Command::new("ssh-keygen");
        elsewhere
            .args(["-q", "-Y", "sign", "-n", "file", "-f"])
            .arg(&key)
            .arg(&sums);
        assert!(elsewhere.status().unwrap().success());
        assert!(code(&signers[0]).starts_with("release-not-signed: "));
        fs::remove_dir_all(own).unwrap();
    }

    /// As somebody would who changes the list after the program.
    fn sum_again(folder: &Path) {
        let [sums, signature] =
            [SUMS.to_owned(), format!("{SUMS}.sig")].map(|name| folder.join(name));
        let kept = fs::read(&signature).unwrap();
        fs::remove_file(sums).unwrap();
        fs::remove_file(&signature).unwrap();
        sum(folder).unwrap();
        fs::write(signature, kept).unwrap();
    }

    #[test]
    fn what_is_built_names_no_folder_of_the_machine_and_takes_the_lock_file_as_it_is() {
        let root = crate::cargo::workspace_root().unwrap();
        let build = build(&root, Path::new("/dist"), "1795910400").unwrap();
        let arguments: Vec<_> = build
            .get_args()
            .map(|one| one.to_string_lossy().into_owned())
            .collect();
        assert!(arguments.contains(&"--locked".to_owned()), "{arguments:?}");
        let flags = |name: &str| {
            let mut found = build.get_envs().filter(|(key, _)| *key == name);
            found
                .next()
                .unwrap()
                .1
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        for name in ["RUSTFLAGS", "CFLAGS"] {
            let flags = flags(name);
            assert!(
                flags.contains(&format!("{}=/lanyard", root.display())),
                "{flags}"
            );
        }
        assert_eq!(flags("SOURCE_DATE_EPOCH"), "1795910400");
    }

    #[test]
    fn a_plan_says_what_to_make_or_what_to_check() {
        let [out, key, signers] = ["x", "k", "s"].map(PathBuf::from);
        let make = |key| Plan::Make {
            out: out.clone(),
            key,
        };
        for (said, plan) in [
            (&["--out", "x"][..], make(None)),
            (&["--out", "x", "--key", "k"], make(Some(key))),
            (
                &["--check", "x", "--signers", "s"],
                Plan::Check {
                    folder: out.clone(),
                    signers,
                },
            ),
        ] {
            assert_eq!(Plan::parse(said).unwrap(), plan);
        }
        for wrong in [
            &["--out"][..],
            &["--out", "x", "--key"],
            &["--out", "x", "--sign", "k"],
            &["--check", "x"],
            &["--check", "x", "--key", "k"],
            &["--check", "x", "--signers", "s", "more"],
            &["--key", "k"],
            &["x"],
            &[],
        ] {
            let refused = Plan::parse(wrong).unwrap_err().to_string();
            assert!(refused.contains("release --out FOLDER"), "{wrong:?}");
        }
    }

    #[test]
    fn nothing_is_built_over_what_is_there_or_from_a_tree_with_changes() {
        let own = std::env::temp_dir().join(format!("lanyard-tree-{}", std::process::id()));
        let (tree, out) = (own.join("tree"), own.join("out"));
        fs::create_dir_all(&tree).unwrap();
        fs::create_dir_all(&out).unwrap();
        let made = |tree: &Path, out: &Path| make(tree, out, None).unwrap_err().to_string();
        assert!(made(&tree, &out).contains("is there already"));
        let out = own.join("another");
        assert!(
            made(&tree, &out).contains("git does not say"),
            "no repository"
        );
        let mut init = Command::new("git");
        assert!(succeeds(init.args(["init", "--quiet"]).arg(&tree)).unwrap());
        fs::write(tree.join("new"), "").unwrap();
        assert!(made(&tree, &out).contains("the tree has changes"));
        assert!(!out.exists());
        fs::remove_dir_all(own).unwrap();
    }
}
