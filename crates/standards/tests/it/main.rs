//! The specifications' own examples, public test vectors, and what an attacker tries.

mod dcql;
mod did;
mod hostile_sd_jwt;
mod jose;
mod key_proof;
mod openid4vci;
mod openid4vp;
mod schemas;
mod sd_jwt;
mod status_list;
mod status_list_vectors;
mod vc;
mod world;
