//! Migrations are compiled in by folder: a new file must make the crate be built again.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
