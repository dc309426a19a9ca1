//! How the Request Service fails.

/// What a creating call meets instead of an answer as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status, in the service's own form of error, with `Retry-After` in seconds where one is given.
    Status(u16, Option<u32>),
    /// 201, and half of a body.
    Half,
    /// 201, with another link than a wallet's.
    Link(String),
    /// The callback `request_retrieved` comes before the answer does.
    EarlyCallback,
}
