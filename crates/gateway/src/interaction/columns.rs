//! What a step writes: the columns that it changes and no other.
//!
//! A database rewrites the index of every column that an update assigns, whether the value is another one or not, and
//! the sealed values are most of a row. Most steps change a stage and little else.

use store::{StoreError, Value};
use zeroize::Zeroizing;

use super::rows::{stage_columns, unreadable};
use super::{Interaction, Private};

/// Everything that a step may change, as it stands in the row.
pub(crate) struct Columns {
    values: [(&'static str, Value); 21],
    private: Option<Zeroizing<Vec<u8>>>,
}

impl Columns {
    /// Of an interaction as it is now.
    pub(super) fn of(interaction: &Interaction) -> Result<Self, StoreError> {
        let text = |private: &Private| serde_json::to_vec(private).map_err(|_| unreadable());
        let private = interaction.private.as_ref().map(text).transpose()?;
        Ok(Self::with(interaction, private.map(Zeroizing::new)))
    }

    /// Of an interaction whose private values were read from that text.
    pub(super) fn with(interaction: &Interaction, private: Option<Zeroizing<Vec<u8>>>) -> Self {
        let (stage, at, outcome, via) = stage_columns(&interaction.stage, interaction.created_at);
        let code = interaction.code.as_ref();
        let digest = |digest: &Option<super::Digest>| {
            Value::from(digest.as_ref().map(|digest| digest.0.as_str()))
        };
        let redeemed = code.and_then(|code| code.redeemed.as_ref());
        let values = [
            ("stage", stage.into()),
            ("stage_at", at.into()),
            ("outcome", outcome.into()),
            ("bound_to", via.into()),
            ("link", interaction.link.as_str().into()),
            ("link_here", interaction.link_here.as_str().into()),
            ("short_code", interaction.short_code.as_deref().into()),
            (
                "request_digest",
                interaction.request_digest.0.as_str().into(),
            ),
            ("browser_digest", digest(&interaction.browser)),
            ("response_digest", digest(&interaction.response)),
            ("released", interaction.released.into()),
            (
                "code_digest",
                code.map(|code| code.digest.0.as_str()).into(),
            ),
            ("code_expires_at", code.map(|code| code.expires_at).into()),
            (
                "code_redirect_digest",
                redeemed.map(|it| it.redirect_uri.0.as_str()).into(),
            ),
            (
                "code_challenge",
                redeemed.and_then(|it| it.challenge.as_deref()).into(),
            ),
            (
                "serial_number",
                interaction
                    .serial_number
                    .map(|serial| serial.to_string())
                    .into(),
            ),
            ("wallet_came", interaction.wallet_came.into()),
            ("scanned_at", interaction.times.scanned.into()),
            ("answered_at", interaction.times.answered.into()),
            ("created_at", interaction.created_at.into()),
            ("expires_at", interaction.expires_at.into()),
        ];
        Self { values, private }
    }

    /// Names and values of what is not as it was; all of it where nothing is known of before.
    pub(super) fn changed_since(&self, before: Option<&Self>) -> Vec<(&'static str, Value)> {
        let changed =
            |at: usize| before.is_none_or(|before| before.values[at].1 != self.values[at].1);
        let all = self.values.iter().enumerate();
        all.filter(|(at, _)| changed(*at))
            .map(|(_, column)| column.clone())
            .collect()
    }

    /// The stage's name.
    pub(super) fn stage(&self) -> &str {
        match &self.values[0].1 {
            Value::Text(stage) => stage,
            _ => "",
        }
    }

    /// Whether a wallet had come.
    pub(super) fn wallet_came(&self) -> bool {
        self.values.contains(&("wallet_came", true.into()))
    }

    /// The private values before they are sealed.
    pub(super) fn private(&self) -> Option<&[u8]> {
        self.private.as_ref().map(|text| text.as_slice())
    }

    /// Whether the private values are not as they were.
    pub(super) fn has_other_private_than(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| before.private != self.private)
    }
}

/// What stands in it is personal.
impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Columns(…)")
    }
}
