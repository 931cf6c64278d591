#!/usr/bin/env bash
# `make fuzz`: random inputs for every reader of bytes from outside, ten minutes in all. Ends with one JSON line; a panic or a slow
# input is an error and is printed. Arguments go to the program: `scripts/fuzz.sh --target topic --seconds 60 --seed 7`.
# Where a nightly compiler and cargo-fuzz are installed, `fuzz/` has the same readers as targets.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/setup.sh" run
[ $# -gt 0 ] || set -- --total 600
step "building the fuzzer (release)" cargo build --release --locked -p qorgan-tests --bin fuzz
"$TARGET/release/fuzz" "$@"
