#!/usr/bin/env bash
# `make lint`: what CI checks besides tests. The cheap checks first.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/setup.sh" build
step "format" cargo fmt --all --check
step "architecture invariants" "$ROOT/scripts/check-arrows.sh"
. "$VAR/tools/node.env"
step "demonstration values are what their script gives" node scripts/demo-indicators.mjs --check configs/demo-indicators.csv
step "outlines are what their table gives" node scripts/areas/make.mjs --check scripts/areas/zhambyl.json configs/areas/zhambyl.geojson
step "clippy, warnings are errors" cargo clippy --workspace --all-targets --locked -- -D warnings
step "a centre without cameras builds" cargo clippy -p qorgan --no-default-features --features centre --locked -- -D warnings
