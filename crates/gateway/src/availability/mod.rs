//! Whether the service was there: heartbeats of its processes, the report for supported hours, and the public page.
//!
//! A minute counts as available when any process wrote that it was ready in it. So an hour in which nobody could write
//! is an hour in which the service was away, whatever the cause.

mod days;
mod feed;
mod heartbeats;
mod hours;
mod page;
mod planned;
mod report;

pub use days::{Day, last_days};
pub use heartbeats::beat;
pub use hours::{Holidays, Hours, HoursError};
pub use page::{Shown, router};
pub use planned::{PlannedError, PlannedWork, Work};
pub use report::{Outage, Report, report};
