mod hostile_jwe;
mod hostile_jwk;
mod hostile_jws;
mod rfc_examples;
mod signing;
mod wycheproof;
