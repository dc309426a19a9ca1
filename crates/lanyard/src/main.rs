//! Lanyard: verifiable staff credentials, straight to the employee's wallet.

fn main() {}
