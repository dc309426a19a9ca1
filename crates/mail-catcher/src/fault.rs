//! Every way in which the catcher can be told to fail, so that a sender's second attempt can be seen.

use serde::{Deserialize, Serialize};

/// One fault. It holds until another is set, and is forgotten when the process ends. The name on the wire is the
/// kebab-case of the variant: `drop-before-answer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// 451 after the content; nothing is kept. A sender tries again later.
    RefuseTemporarily,
    /// 550 to each recipient. A sender gives up.
    RefuseForGood,
    /// Keeps the message and closes the connection without an answer: the sender cannot know, and sends it again.
    DropBeforeAnswer,
    /// Takes new connections and never says a word.
    Silent,
}

impl Fault {
    /// Every fault, in the order of the documentation.
    pub const ALL: [Fault; 4] = [
        Fault::RefuseTemporarily,
        Fault::RefuseForGood,
        Fault::DropBeforeAnswer,
        Fault::Silent,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::RefuseTemporarily => "refuse-temporarily",
            Fault::RefuseForGood => "refuse-for-good",
            Fault::DropBeforeAnswer => "drop-before-answer",
            Fault::Silent => "silent",
        }
    }

    /// What the fault does, for the page with the switch.
    pub const fn summary(self) -> &'static str {
        match self {
            Fault::RefuseTemporarily => "Refuse each message for now (451)",
            Fault::RefuseForGood => "Refuse each recipient for good (550)",
            Fault::DropBeforeAnswer => "Keep each message, then close without an answer",
            Fault::Silent => "Take connections and say nothing",
        }
    }

    /// Reads a name from the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_name_of_a_fault_is_the_same_in_json_and_in_the_table() {
        for fault in Fault::ALL {
            assert_eq!(serde_json::to_value(fault).unwrap(), fault.name());
            assert_eq!(Fault::parse(fault.name()), Some(fault));
        }
        assert_eq!(Fault::parse("Silent"), None);
    }
}
