//! The hub's command line; see `qorgan --help`.

fn main() -> std::process::ExitCode {
    qorgan::cli::main()
}
