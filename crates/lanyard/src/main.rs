//! Lanyard: verifiable staff credentials, straight to the employee's wallet.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    lanyard::run().await
}
