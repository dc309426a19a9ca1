//! The specifications' own examples, public test vectors, and what an attacker tries.

mod did;
mod jose;
mod world;
mod sd_jwt;
mod hostile_sd_jwt;
mod dcql;
mod openid4vci;
mod key_proof;
