//! Every way in which the test wallet can be told to misbehave, once, at the next scan.
//!
//! A fault is armed with [`Wallet::misbehave`](crate::Wallet::misbehave), is used up by the next scan of that
//! holder whatever comes of it, and is forgotten when the process ends.

use serde::{Deserialize, Serialize};

/// One fault. The name on the wire is the kebab-case of the variant: `late-answer`.
///
/// Where a fault has no meaning at issuing the scan is `failed`, says so, and sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Declines although consent was given. Presenting: `access_denied` is sent to the verifier. Issuing: the
    /// credential is fetched, thrown away, and `credential_deleted` is notified.
    Decline,
    /// Reads the request object or the offer and then never sends anything. The outcome is `pending` at once.
    Silence,
    /// Answers properly, but only after the request has expired (its `exp`; five minutes after an offer was read)
    /// by the wallet's clock. The outcome is `pending` at once; the answer follows in the background.
    LateAnswer,
    /// Presenting: a credential of another type, in a format asked for, is sent in its place; the holder's own, or one
    /// that another holder of this wallet has (`failed` if there is none). Issuing: another credential configuration than the offered one is requested.
    WrongType,
    /// Presenting: a fitting credential of another holder of this wallet is sent, bound with this holder's own key;
    /// where no other holder has one, this holder's credential is bound with a key made for the occasion. Issuing:
    /// the key proof names one key and is signed with another.
    OtherPerson,
    /// Presenting: a credential that has expired is chosen; the holder's own, or another holder's together with its
    /// key (`failed` if there is none). Issuing: the key proof
    /// is dated one hour back.
    Expired,
    /// Presenting: a credential whose status list says revoked is chosen; the holder's own, or another holder's
    /// together with its key (`failed` if there is none). Issuing: no meaning.
    Revoked,
    /// Presenting: one bit of the issuer's signature on the credential is flipped; the holder's own signature is
    /// good. Issuing: one bit of the key proof's signature is flipped.
    BadSignature,
    /// The presentation, or the key proof, carries a fresh nonce of the wallet's own.
    WrongNonce,
    /// The presentation, or the key proof, is made out to `https://wrong-audience.invalid`.
    WrongAudience,
    /// Presenting: the `vp_token` that this holder last sent to a verifier is sent again in answer to the new
    /// request; where none is recorded, the proper answer is sent twice and the second reply is reported.
    /// Issuing: the credential request is sent a second time, unchanged, once the first has been answered, and the
    /// second reply is reported if it is a refusal. A second reply that is no refusal is reported as `failed`.
    Replay,
    /// Presenting: `dc+sd-jwt` without a key-binding JWT, `jwt_vc_json` as the bare credential without a
    /// presentation around it. Issuing: the credential request carries no key proof.
    MissingHolderBinding,
    /// Presenting: every claim of a `dc+sd-jwt` is disclosed, asked for or not, and the answer carries one more
    /// presentation, under the id `not-asked-for`. Issuing: no meaning.
    ExtraDisclosure,
    /// Sends the answer (at issuing, the credential request) and forgets the reply unread, as if the connection had
    /// broken at that moment: nothing is kept and nothing more is sent. The outcome is `pending`.
    LostNetworkAfterSubmit,
}

impl Fault {
    /// Every fault, in the order of the documentation.
    pub const ALL: [Fault; 14] = [
        Fault::Decline,
        Fault::Silence,
        Fault::LateAnswer,
        Fault::WrongType,
        Fault::OtherPerson,
        Fault::Expired,
        Fault::Revoked,
        Fault::BadSignature,
        Fault::WrongNonce,
        Fault::WrongAudience,
        Fault::Replay,
        Fault::MissingHolderBinding,
        Fault::ExtraDisclosure,
        Fault::LostNetworkAfterSubmit,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::Decline => "decline",
            Fault::Silence => "silence",
            Fault::LateAnswer => "late-answer",
            Fault::WrongType => "wrong-type",
            Fault::OtherPerson => "other-person",
            Fault::Expired => "expired",
            Fault::Revoked => "revoked",
            Fault::BadSignature => "bad-signature",
            Fault::WrongNonce => "wrong-nonce",
            Fault::WrongAudience => "wrong-audience",
            Fault::Replay => "replay",
            Fault::MissingHolderBinding => "missing-holder-binding",
            Fault::ExtraDisclosure => "extra-disclosure",
            Fault::LostNetworkAfterSubmit => "lost-network-after-submit",
        }
    }

    /// What the fault does, for the page with the switches.
    pub const fn summary(self) -> &'static str {
        match self {
            Fault::Decline => "Decline, whatever is chosen",
            Fault::Silence => "Read the request and never answer",
            Fault::LateAnswer => "Answer after the request has expired",
            Fault::WrongType => "Send another type of credential",
            Fault::OtherPerson => "Send another person's credential, or sign with another key",
            Fault::Expired => "Send an expired credential, or an old key proof",
            Fault::Revoked => "Send a revoked credential",
            Fault::BadSignature => "Spoil a signature",
            Fault::WrongNonce => "Answer with a wrong nonce",
            Fault::WrongAudience => "Answer to a wrong audience",
            Fault::Replay => "Send an earlier answer again",
            Fault::MissingHolderBinding => "Leave out the holder's signature",
            Fault::ExtraDisclosure => "Share more than was asked for",
            Fault::LostNetworkAfterSubmit => "Lose the network after sending",
        }
    }

    /// Reads a name from the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// Whether the fault can bend the receiving of a credential.
    pub const fn bends_issuing(self) -> bool {
        !matches!(self, Fault::Revoked | Fault::ExtraDisclosure)
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
        assert_eq!(Fault::parse("Late-Answer"), None);
    }
}
