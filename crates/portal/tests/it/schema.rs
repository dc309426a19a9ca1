//! The portal's own tables of claims against the gateway's, which are made from the published schema.

use std::collections::BTreeMap;
use std::path::Path;

use gateway::organisation::catalogue::Catalogue;

/// DW-68: names, order and kinds are those of the schema; only the unique identifier is not the portal's to know.
#[test]
fn dw_68_what_the_portal_fills_in_is_exactly_what_the_schema_asks_for() {
    let catalogue = Catalogue::built_in().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("credential-types");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let ours: toml::Table = text.parse().unwrap();
        let name = ours["name"].as_str().unwrap();
        let theirs = catalogue.find(name).unwrap();
        assert_eq!(ours["label"].as_str(), Some(theirs.label.as_str()));
        assert_eq!(ours["ends_with"].as_str(), theirs.expires_with.as_deref());

        let ours = ["facts", "about"].into_iter().flat_map(|group| {
            let attributes = ours[group].as_array().unwrap();
            attributes.iter().map(|one| one.as_table().unwrap())
        });
        let ours: BTreeMap<&str, (String, bool, usize)> = ours
            .map(|one| {
                let kind = one["kind"].as_str().unwrap().replace('-', "");
                let optional = one.get("optional").is_some();
                let choices = one
                    .get("one_of")
                    .map_or(0, |all| all.as_array().unwrap().len());
                (one["name"].as_str().unwrap(), (kind, optional, choices))
            })
            .collect();
        let theirs: BTreeMap<&str, (String, bool, usize)> = theirs
            .attributes
            .iter()
            .filter(|attribute| attribute.name != "UniqueIdentifier")
            .map(|attribute| {
                let kind = format!("{:?}", attribute.kind).to_lowercase();
                let rest = (kind, !attribute.mandatory, attribute.one_of.len());
                (attribute.name.as_str(), rest)
            })
            .collect();
        assert_eq!(ours, theirs, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
