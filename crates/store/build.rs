//! The tests' migrations are compiled in by folder: a new file must make them be built again.

fn main() {
    println!("cargo:rerun-if-changed=tests/migrations");
}
