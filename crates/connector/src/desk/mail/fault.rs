//! Why a mail was not accepted.

use std::fmt;

/// Why a mail was not accepted. Its words never hold the other side's, which may repeat the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::desk) enum MailFault {
    /// The options are not usable.
    Options,
    /// No connection.
    Unreachable,
    /// No answer in time. The server may have the mail.
    Silent,
    /// The server offers no TLS, or none that can be trusted.
    NoTls,
    /// The server does not take mail from here, or not with this login or sender.
    NotTaken(u16),
    /// The server does not take this mail now.
    RefusedForNow(u16),
    /// The server will never take this mail.
    Refused(u16),
    /// The recipient's address is none.
    Address,
    /// No access token for the mail server could be had.
    Token,
    /// GOV.UK Notify does not accept the key, or this machine's clock is wrong.
    NotifyKey,
    /// GOV.UK Notify takes no more within this minute.
    NotifyBusy,
    /// GOV.UK Notify takes no more today.
    NotifyDailyLimit,
    /// GOV.UK Notify failed, or answered what nobody expects.
    NotifyFailing(u16),
    /// GOV.UK Notify refuses a value of this mail, its address most likely.
    NotifyRefused,
    /// GOV.UK Notify refuses the request as such: trial mode, a key for the team only, the template.
    NotifyBadRequest,
    /// The template at GOV.UK Notify is not there, or has other placeholders than the mail has values.
    NotifyTemplate,
}

impl MailFault {
    /// Whether it is about this mail. If not, the others need not try either.
    pub(in crate::desk) fn is_about_this_mail(self) -> bool {
        matches!(
            self,
            Self::RefusedForNow(_)
                | Self::Refused(_)
                | Self::Address
                | Self::NotifyRefused
                | Self::NotifyBadRequest
        )
    }

    /// Whether another try is of no use.
    pub(in crate::desk) fn is_for_good(self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::Address | Self::NotifyRefused | Self::NotifyBadRequest
        )
    }

    /// Whether the set-up is what is wrong: somebody has to mend it, and no employee can be reached until then.
    pub(in crate::desk) fn is_an_alert(self) -> bool {
        matches!(
            self,
            Self::Options
                | Self::Token
                | Self::NotifyKey
                | Self::NotifyBadRequest
                | Self::NotifyTemplate
        )
    }
}

/// A stable code, and what an operator can do something with.
impl fmt::Display for MailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, said) = match self {
            Self::Options => return f.write_str("mail-options: the mail options are not usable"),
            Self::Unreachable => {
                return f.write_str(
                    "mail-server-unreachable: no connection to the mail server, or it broke",
                );
            }
            Self::Silent => {
                return f.write_str("mail-server-silent: the mail server did not answer in time");
            }
            Self::NoTls => {
                return f.write_str(
                    "mail-server-without-tls: the mail server offers no TLS that can be trusted",
                );
            }
            Self::Address => {
                return f.write_str(
                    "mail-address: the employee's address is not a mail address; reach the employee another way",
                );
            }
            Self::Token => {
                return f.write_str(
                    "mail-token: the token endpoint gave no access token for the mail server; check its address, the \
                     client and its secret",
                );
            }
            Self::NotifyKey => {
                return f.write_str(
                    "notify-key: GOV.UK Notify does not accept the key; check the key, and that the clock is right to \
                     30 seconds",
                );
            }
            Self::NotifyBusy => {
                return f.write_str(
                    "notify-busy: GOV.UK Notify takes no more mails within this minute",
                );
            }
            Self::NotifyDailyLimit => {
                return f.write_str("notify-daily-limit: GOV.UK Notify takes no more mails today");
            }
            Self::NotifyRefused => {
                return f.write_str(
                    "notify-refused: GOV.UK Notify will not take this mail; reach the employee another way",
                );
            }
            Self::NotifyBadRequest => {
                return f.write_str(
                    "notify-bad-request: GOV.UK Notify refuses the request; check that the service is live and the key \
                     is not for the team only",
                );
            }
            Self::NotifyTemplate => {
                return f.write_str(
                    "notify-template: the template at GOV.UK Notify is not there or has other placeholders; compare it \
                     with the handbook's",
                );
            }
            Self::NotTaken(code) => (
                code,
                "mail-not-taken: the mail server takes no mail from this sender",
            ),
            Self::RefusedForNow(code) => (
                code,
                "mail-refused-for-now: the mail server does not take this mail now",
            ),
            Self::NotifyFailing(code) => (code, "notify-failing: GOV.UK Notify failed"),
            Self::Refused(code) => {
                return write!(
                    f,
                    "mail-refused: the mail server will not take this mail (reply {code}); reach the employee another way"
                );
            }
        };
        write!(f, "{said} (reply {code})")
    }
}
