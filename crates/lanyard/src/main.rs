//! Lanyard: verifiable staff credentials, straight to the employee's wallet.

use std::process::ExitCode;

/// A sixth of what a gateway does is allocating and freeing, and this one does it in half the instructions (decision 0038).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    lanyard::run().await
}
