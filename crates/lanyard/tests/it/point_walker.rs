//! Whoever walks from a confirmation to the mail about a revocation, while something may die at any point.

use crate::portal_kill_person::{Person, Step, wait_for_own_mail};
use crate::portal_processes::Processes;

/// An employee with one record, at an external system.
pub(crate) trait PointWalker: Sized {
    fn new(world: &Processes, number: usize) -> Self;

    /// Up to the confirmation.
    async fn arrive(&mut self) -> anyhow::Result<()>;

    /// From the confirmation until the credential is added.
    async fn add(&mut self) -> anyhow::Result<()>;

    /// The record changes, and the mail about the revocation comes.
    async fn lose(&mut self) -> anyhow::Result<()>;

    /// From now on something may go otherwise than on a quiet day.
    fn expect_trouble(&mut self);

    /// What did.
    fn stumbles(&self) -> &[String];
}

/// At the portal, through its pages.
impl PointWalker for Person {
    fn new(world: &Processes, number: usize) -> Self {
        Self::new(world.walk(number))
    }

    async fn arrive(&mut self) -> anyhow::Result<()> {
        self.walk_on(Step::LogIn, Step::List).await
    }

    async fn add(&mut self) -> anyhow::Result<()> {
        self.walk_on(Step::Confirm, Step::ListAdded).await
    }

    async fn lose(&mut self) -> anyhow::Result<()> {
        self.walk_on(Step::HrSaves, Step::HrSaves).await?;
        // No reload brings a mail that does not come.
        wait_for_own_mail(&self.walk).await
    }

    fn expect_trouble(&mut self) {
        self.disturbed = true;
    }

    fn stumbles(&self) -> &[String] {
        &self.stumbles
    }
}
