#!/usr/bin/env bash
# `make test`: set-up, then every test: web units, Rust (unit, end-to-end, fault), browser. Stops at the first kind that fails,
# the cheap ones first. Arguments go to the Rust runner: `scripts/test.sh -E 'test(alarm)'`.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/setup.sh" test
. "$VAR/tools/node.env"

step "web unit tests" npm test --prefix api/web
step "building everything (debug)" cargo build --workspace --all-targets --locked

# Runners print their closing lines themselves; a script that swallowed them would hide "0 tests run".
if cargo nextest --version >/dev/null 2>&1; then
  step "doc tests (nextest leaves them out)" cargo test --workspace --locked --doc --quiet
  step "Rust tests (nextest)" cargo nextest run --workspace --locked --no-fail-fast "$@"
else
  note "cargo-nextest is not installed; cargo test is used"
  step "Rust tests" cargo test --workspace --locked --no-fail-fast "$@"
fi
step "browser tests" "$ROOT/scripts/browser-test.sh"
