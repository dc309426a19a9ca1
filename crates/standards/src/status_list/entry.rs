//! The W3C credential's pointers into bitstrings [BS-01].

use serde_json::{Value, json};
use url::Url;

/// What a set bit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The credential is cancelled, for good.
    Revocation,
    /// The credential is not to be accepted for the time being.
    Suspension,
}

impl Purpose {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }

    /// From its name. Other purposes (`refresh`, `message`) do not decide whether a credential counts.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Revocation, Self::Suspension]
            .into_iter()
            .find(|purpose| purpose.name() == name)
    }
}

/// One `BitstringStatusListEntry` of `credentialStatus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the bit means.
    pub purpose: Purpose,
    /// `statusListIndex`.
    pub index: u64,
    /// `statusListCredential`: where the list is; also the `id` of its credential.
    pub credential: String,
}

impl Entry {
    /// The entries of a `credentialStatus`, which is an object or an array of them. Left out is what does not decide
    /// whether a credential counts, and what is not by this standard; whoever relies on the rest must see that it is
    /// there.
    pub fn parse_all(status: &Value) -> Vec<Self> {
        match status {
            Value::Array(all) => all.iter().filter_map(Self::parse).collect(),
            one => Self::parse(one).into_iter().collect(),
        }
    }

    fn parse(entry: &Value) -> Option<Self> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        if text("type") != Some(TYPE) || entry.get("statusSize").is_some_and(|size| *size != 1) {
            return None;
        }
        let index = text("statusListIndex")?;
        if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let credential = text("statusListCredential")?;
        let url = Url::parse(credential).ok()?;
        matches!(url.scheme(), "https" | "http").then_some(())?;
        Some(Self {
            purpose: Purpose::from_name(text("statusPurpose")?)?,
            index: index.parse().ok()?,
            credential: credential.to_owned(),
        })
    }

    /// The entry as `credentialStatus` has it.
    pub fn to_value(&self) -> Value {
        json!({
            "id": format!("{}#{}", self.credential, self.index),
            "type": TYPE,
            "statusPurpose": self.purpose.name(),
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.credential,
        })
    }
}

const TYPE: &str = "BitstringStatusListEntry";

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries of the specification's own example (2.1).
    #[test]
    fn bs_01_the_specifications_entries_read_back() {
        let status = json!([{
            "id": "https://example.com/credentials/status/3#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": "https://example.com/credentials/status/3"
        }, {
            "id": "https://example.com/credentials/status/4#23452",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "suspension",
            "statusListIndex": "23452",
            "statusListCredential": "https://example.com/credentials/status/4"
        }]);
        let entries = Entry::parse_all(&status);
        let written: Vec<Value> = entries.iter().map(Entry::to_value).collect();
        assert_eq!(Value::from(written), status);
        assert_eq!(Entry::parse_all(&status[0]).len(), 1);
    }

    #[test]
    fn what_is_no_entry_of_this_standard_is_none() {
        let good = Entry {
            purpose: Purpose::Revocation,
            index: 1,
            credential: "https://a.example/1".to_owned(),
        };
        for (name, value) in [
            ("type", json!("StatusList2021Entry")),
            ("statusPurpose", json!("message")),
            ("statusListIndex", json!(1)),
            ("statusListIndex", json!("-1")),
            ("statusListIndex", json!("+1")),
            ("statusListIndex", json!("99999999999999999999999")),
            ("statusListCredential", json!("file:///etc/passwd")),
            ("statusSize", json!(2)),
        ] {
            let mut entry = good.to_value();
            entry[name] = value;
            assert_eq!(Entry::parse_all(&entry), [], "{entry}");
        }
    }
}
