//! The page is embedded: when `make web` made another one, this crate is built again.

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
}
