//! JSON as every other parser reads it.

use serde_json::Value;
use standards::claims;
use standards::json;

/// SEC-21. What the strict reader accepts is what the lenient one reads, nested no deeper than it says, and the same
/// when it is written and read again.
pub(super) fn json(data: &[u8]) {
    let Ok(read) = json::parse(data) else {
        assert!(json::parse_object(data).is_err());
        return;
    };
    let lenient: Value =
        serde_json::from_slice(data).expect("what the strict reader takes is JSON");
    assert_eq!(read, lenient, "two readers read two values");
    assert!(depth(&read) <= json::MAX_DEPTH);
    assert_eq!(
        members(&read),
        colons(data),
        "a member that is given twice was read once"
    );
    // A fraction may come out one bit away from where it went in; what it signs is text and is never written again.
    if !has_fraction(&read) {
        let again = serde_json::to_vec(&read).expect("a value can be written");
        assert_eq!(json::parse(&again), Ok(read.clone()));
    }
    if let Value::Object(members) = &read {
        for name in ["iss", "aud", "exp", "nonce"] {
            let _ = claims::text(members, name);
            let _ = claims::required_text(members, name);
            let _ = claims::instant(members, name);
        }
        if claims::audience_is(members, "a") == Ok(true) {
            let alone = members["aud"] == "a" || members["aud"] == serde_json::json!(["a"]);
            assert!(alone, "an audience beside ours was taken for ours alone");
        }
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(elements) => elements.iter().map(members).sum(),
        _ => 0,
    }
}

/// Each member of a text that is JSON has one colon outside of strings.
fn colons(text: &[u8]) -> usize {
    let (mut in_string, mut escaped, mut count) = (false, false, 0);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(has_fraction),
        Value::Array(elements) => elements.iter().any(has_fraction),
        other => other.is_f64(),
    }
}
