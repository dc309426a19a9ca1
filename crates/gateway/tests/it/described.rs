//! What an OpenAPI document says of a body.

use std::collections::BTreeSet;

use serde_json::Value;

/// The members of a schema, those that it takes from others among them.
pub(crate) fn members(document: &Value, schema: &Value) -> BTreeSet<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        let schema = document
            .pointer(pointer)
            .expect("what is named stands in the document");
        return members(document, schema);
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let taken = parts.flat_map(|part| members(document, part));
    let own = schema["properties"].as_object().into_iter().flatten();
    taken.chain(own.map(|(name, _)| name.clone())).collect()
}
