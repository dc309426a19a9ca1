//! `lanyard sbom`: what this program is made of, as a `CycloneDX` 1.5 document. What it says was read from cargo when the program
//! was built (`build.rs`) and lies in the program itself: whoever has the one has the other (SEC-38, decision 0045).

use anyhow::Context as _;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::say::say;

/// Made by `build.rs`: the compiler, the front end, and each crate in a line.
const MATERIALS: &str = include_str!(concat!(env!("OUT_DIR"), "/materials.tsv"));

/// Where every crate that is not ours comes from, as the lock file says it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Prints the document.
pub fn run() -> anyhow::Result<()> {
    say(serde_json::to_string_pretty(&document(None)?)?)
}

/// A crate that it is made of or with.
struct Material<'a> {
    name: &'a str,
    version: &'a str,
    is_linked: bool,
    licence: &'a str,
    source: &'a str,
    checksum: &'a str,
    needs: &'a str,
}

impl<'a> Material<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, version, word, licence, source, checksum, needs] = fields[..] else {
            return None;
        };
        Some(Self {
            name,
            version,
            is_linked: word == "linked",
            licence,
            source,
            checksum,
            needs,
        })
    }

    fn reference(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }

    fn component(&self) -> Value {
        let mut component = json!({
            "type": "library",
            "bom-ref": self.reference(),
            "name": self.name,
            "version": self.version,
            // What ran when it was built and is not in it.
            "scope": if self.is_linked { "required" } else { "excluded" },
            "licenses": [{ "expression": self.licence }],
        });
        // What is ours is in no registry.
        if self.source == CRATES_IO {
            component["purl"] = self.reference().into();
            component["hashes"] = json!([{ "alg": "SHA-256", "content": self.checksum }]);
        }
        component
    }

    fn dependencies(&self) -> Value {
        let needs = self.needs.split(' ').filter(|needs| !needs.is_empty());
        let needs: Vec<String> = needs.map(|needs| format!("pkg:cargo/{needs}")).collect();
        json!({ "ref": self.reference(), "dependsOn": needs })
    }
}

/// The document, with the SHA-256 of the program where somebody knows it. It names no moment and no number of its own, so that
/// the same program always says the same.
pub(crate) fn document(program_sha256: Option<&str>) -> anyhow::Result<Value> {
    let mut lines = MATERIALS.lines();
    let mut fields = || {
        let line = lines
            .next()
            .context("the program's materials are cut off")?;
        Ok::<_, anyhow::Error>(line.split('\t').collect::<Vec<_>>())
    };
    let (compiler, front_end) = (fields()?, fields()?);
    let materials: Vec<Material<'_>> = lines
        .map(|line| Material::parse(line).with_context(|| format!("no material: {line}")))
        .collect::<anyhow::Result<_>>()?;
    let (own, others): (Vec<_>, Vec<_>) = materials
        .iter()
        .partition(|one| one.name == env!("CARGO_PKG_NAME"));
    let own = own.first().context("the program is made of nothing")?;
    let mut program = own.component();
    program["type"] = "application".into();
    if let Some(sha256) = program_sha256 {
        program["hashes"] = json!([{ "alg": "SHA-256", "content": sha256 }]);
    }
    let mut components: Vec<Value> = others.iter().map(|one| one.component()).collect();
    let [name, version, integrity] = front_end[..] else {
        anyhow::bail!("the front end is not told");
    };
    let front_end = format!("pkg:npm/{name}@{version}");
    components.push(json!({
        "type": "library", "bom-ref": front_end, "purl": front_end, "name": name, "version": version, "scope": "required",
        "licenses": [{ "expression": "MIT" }],
        "hashes": [{ "alg": "SHA-512", "content": sha512(integrity)? }],
    }));
    let mut dependencies: Vec<Value> = materials.iter().map(Material::dependencies).collect();
    let ui = dependencies.iter_mut().find(|one| {
        one["ref"]
            .as_str()
            .is_some_and(|name| name.starts_with("pkg:cargo/ui@"))
    });
    if let Some(Value::Array(needs)) = ui.and_then(|ui| ui.get_mut("dependsOn")) {
        needs.push(front_end.clone().into());
    }
    dependencies.push(json!({ "ref": front_end, "dependsOn": [] }));
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": program,
            "properties": [
                { "name": "lanyard:compiler", "value": compiler.get(1).copied().unwrap_or_default() },
                { "name": "lanyard:build", "value": if cfg!(debug_assertions) { "debug" } else { "release" } },
                { "name": "lanyard:system", "value": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH) },
            ],
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// npm's form of a digest in the form that `CycloneDX` has.
fn sha512(integrity: &str) -> anyhow::Result<String> {
    let coded = integrity
        .strip_prefix("sha512-")
        .context("npm locks by SHA-512")?;
    Ok(hex::encode(
        base64::engine::general_purpose::STANDARD.decode(coded)?,
    ))
}
