//! The specifications' own examples, public test vectors, and what an attacker tries.

mod did;
mod jose;
