#!/usr/bin/env bash
# `make lint`: what CI checks besides tests. The cheap checks first.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/setup.sh" build
step "format" cargo fmt --all --check
step "architecture invariants" "$ROOT/scripts/check-arrows.sh"
step "clippy, warnings are errors" cargo clippy --workspace --all-targets --locked -- -D warnings
step "a centre without cameras builds" cargo clippy -p qorgan --no-default-features --features centre --locked -- -D warnings
