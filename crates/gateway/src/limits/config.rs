//! `[limits]` of the configuration file. Every number has a default that a hospital of two thousand behind one
//! address does not reach; `docs/operate/gateway.md` does the sums. None may be 0.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// A number that is never 0: nobody could do anything at all.
const fn number(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// How much anybody may ask of this process. Several processes on one database each count for themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// `[limits.address]`: from one address, a minute.
    pub address: AddressLimits,
    /// `[limits.client]`: for each relying party that has no number of its own.
    pub client: ClientLimits,
    /// `[limits.process]`: of everybody together.
    pub process: ProcessLimits,
}

/// From one IPv4 address, or one /64 of IPv6, in a minute; as many may come at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressLimits {
    /// Requests to what relying parties' servers call, until they have proved who they are: what a relying party asks
    /// is counted as its own, and nobody behind the same address waits for it.
    pub back_channel: NonZeroU32,
    /// Among them, those whose secrets, assertions or access tokens were wrong; and, counted apart, wallets' wrong codes
    /// and tokens.
    pub failures: NonZeroU32,
    /// Browsers that begin: each beginning may open an interaction and draw a QR code.
    pub authorize: NonZeroU32,
    /// Waiting pages, and the questions by which they stay up to date.
    pub pages: NonZeroU32,
    /// Everything that wallets ask and send.
    pub wallets: NonZeroU32,
    /// What is the same for everybody: keys, metadata, status lists, style sheets; and addresses that do not exist.
    pub documents: NonZeroU32,
}

impl Default for AddressLimits {
    fn default() -> Self {
        Self {
            back_channel: number(30_000),
            failures: number(120),
            authorize: number(600),
            pages: number(60_000),
            wallets: number(6_000),
            documents: number(30_000),
        }
    }
}

/// For one relying party, in a minute, as many at once; counted only once it has proved who it is, but for
/// `open_unpushed`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientLimits {
    /// Pushed requests.
    pub pushes: NonZeroU32,
    /// Token requests, and questions to userinfo.
    pub tokens: NonZeroU32,
    /// Revocations.
    pub revocations: NonZeroU32,
    /// Look-ups of outcomes and events.
    pub look_ups: NonZeroU32,
    /// Of all these, how many may be under way in the same moment: one relying party's requests do not fill the
    /// queue before the database.
    pub at_once: NonZeroU32,
    /// Pushed requests that no browser has opened yet; each lives for ten minutes.
    pub open_pushes: NonZeroU32,
    /// Requests to verify that browsers brought without PAR, which anybody can send in the client's name: each counts for
    /// half an hour, or until a presentation passed.
    pub open_unpushed: NonZeroU32,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            pushes: number(3_000),
            tokens: number(3_000),
            revocations: number(3_000),
            look_ups: number(3_000),
            at_once: number(64),
            open_pushes: number(5_000),
            // More than one address begins in half an hour, by its limit: none alone fills it.
            open_unpushed: number(20_000),
        }
    }
}

/// `limits` of one relying party: the numbers that are its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnLimits {
    /// Instead of `limits.client.pushes`.
    pub pushes: Option<NonZeroU32>,
    /// Instead of `limits.client.tokens`.
    pub tokens: Option<NonZeroU32>,
    /// Instead of `limits.client.revocations`.
    pub revocations: Option<NonZeroU32>,
    /// Instead of `limits.client.look_ups`.
    pub look_ups: Option<NonZeroU32>,
    /// Instead of `limits.client.at_once`.
    pub at_once: Option<NonZeroU32>,
    /// Instead of `limits.client.open_pushes`.
    pub open_pushes: Option<NonZeroU32>,
    /// Instead of `limits.client.open_unpushed`.
    pub open_unpushed: Option<NonZeroU32>,
}

impl ClientLimits {
    /// Requests of every kind together.
    pub(super) fn all(&self) -> NonZeroU32 {
        [self.tokens, self.revocations, self.look_ups]
            .into_iter()
            .fold(self.pushes, |all, one| all.saturating_add(one.get()))
    }

    /// These, but for what a relying party has of its own.
    #[must_use]
    pub fn with(&self, own: &OwnLimits) -> Self {
        Self {
            pushes: own.pushes.unwrap_or(self.pushes),
            tokens: own.tokens.unwrap_or(self.tokens),
            revocations: own.revocations.unwrap_or(self.revocations),
            look_ups: own.look_ups.unwrap_or(self.look_ups),
            at_once: own.at_once.unwrap_or(self.at_once),
            open_pushes: own.open_pushes.unwrap_or(self.open_pushes),
            open_unpushed: own.open_unpushed.unwrap_or(self.open_unpushed),
        }
    }
}

/// Of everybody together, in the same moment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessLimits {
    /// Requests that are being answered.
    pub at_once: NonZeroU32,
    /// Memory for bodies that are being received, in KiB. One address may have an eighth of it, which should hold a
    /// presentation: 256.
    pub bodies_kib: NonZeroU32,
    /// Bodies that are being received from one address.
    pub bodies_from_one_address: NonZeroU32,
    /// Connections.
    pub connections: NonZeroU32,
    /// Connections from one address. Loopback has no such limit: a proxy lives there.
    pub connections_from_one_address: NonZeroU32,
}

impl Default for ProcessLimits {
    fn default() -> Self {
        Self {
            at_once: number(512),
            bodies_kib: number(32 * 1024),
            bodies_from_one_address: number(64),
            connections: number(20_000),
            connections_from_one_address: number(5_000),
        }
    }
}

impl LimitsConfig {
    /// A sandbox's, in which one relying party is a whole benchmark.
    #[must_use]
    pub fn sandbox() -> Self {
        let many = number(1_000_000);
        Self {
            client: ClientLimits {
                pushes: many,
                tokens: many,
                revocations: many,
                look_ups: many,
                at_once: number(1_024),
                open_pushes: many,
                open_unpushed: many,
            },
            process: ProcessLimits {
                at_once: number(4_096),
                ..ProcessLimits::default()
            },
            ..Self::default()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_leaves_out_has_its_default_and_what_is_nothing_or_misspelt_is_refused() {
        let read = |text: &str| toml::from_str::<LimitsConfig>(text);
        assert_eq!(read("").unwrap(), LimitsConfig::default());
        let some = read("[client]\npushes = 7\n[process]\nat_once = 9").unwrap();
        assert_eq!(
            (some.client.pushes, some.process.at_once),
            (number(7), number(9))
        );
        assert_eq!(some.client.tokens, ClientLimits::default().tokens);
        for wrong in [
            "[client]\npushes = 0",
            "[client]\npush = 7",
            "[address]\nfailures = -1",
            "[proces]",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_relying_partys_own_numbers_stand_before_everybodys() {
        let own: OwnLimits = toml::from_str("pushes = 9").unwrap();
        let both = ClientLimits::default().with(&own);
        let expected = ClientLimits {
            pushes: number(9),
            ..ClientLimits::default()
        };
        assert_eq!(both, expected);
    }
}
