#!/usr/bin/env bash
# `make run`: set-up, release build, then the demo (scripts/run.sh). Arguments go to `qorgan run`.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/setup.sh" run
# One command for both programs: two would resolve features twice and build shared crates again.
step "building the hub and the demo's camera server (release; the first time takes about 15 minutes on two cores)" \
  cargo build --release --locked -p qorgan --bin qorgan -p qorgan-tests --bin camera-server
exec "$ROOT/scripts/run.sh" "$@"
