#!/usr/bin/env bash
# The browser test against a real hub: camera server and `qorgan run` (debug build) on free ports with an empty state folder,
# then `npm test` in tests/browser with these variables:
#   QORGAN_URL    http://127.0.0.1:PORT
#   QORGAN_USERS  JSON {"role":{"user":"...","password":"..."}}
#   QORGAN_PRESS  shell command that presses a button of the demo's school
#   QORGAN_SHOTS  folder for screenshots
# Logs stay in target/browser/.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/web.sh" modules tests/browser
. "$VAR/tools/node.env"

bin="$TARGET/debug"
{ [ -x "$bin/qorgan" ] && [ -x "$bin/camera-server" ]; } || die "nothing is built in ${bin#"$ROOT"/}" "run: make test"
out="$ROOT/target/browser"
mkdir -p "$out"
state="$(mktemp -d)"

camera_pid=''
hub_pid=''
finish() {
  trap - EXIT INT TERM HUP
  local pid
  for pid in $hub_pid $camera_pid; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$state"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

port="$(free_port any)"
"$bin/camera-server" --port "$port" "${DEMO_CAMERAS[@]}" </dev/null >"$out/camera-server.log" 2>&1 &
camera_pid=$!
wait_for 30 "the camera server (target/browser/camera-server.log)" listens "$port" || exit 1

"$bin/qorgan" run --config configs/demo.toml --state-dir "$state" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --dc09 127.0.0.1:0 \
  --addresses-file "$state/addresses.json" --camera-base "rtsp://127.0.0.1:$port" </dev/null >"$out/hub.log" 2>&1 &
hub_pid=$!
hub_ready() { kill -0 "$hub_pid" 2>/dev/null || return 0; [ -s "$state/addresses.json" ]; }
wait_for 60 "the hub (target/browser/hub.log)" hub_ready || exit 1
if [ ! -s "$state/addresses.json" ]; then tail -n 30 "$out/hub.log" >&2; die "the hub ended at once"; fi

address() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$state/addresses.json" "$1"; }
http="$(address http)"
mqtt="$(address mqtt)"
export QORGAN_URL="http://$http"
QORGAN_USERS="$(cat "$state/secrets/logins.json")"
export QORGAN_USERS
export QORGAN_PID="$hub_pid"
export QORGAN_PRESS="'$bin/qorgan' button --config '$ROOT/configs/demo.toml' --state-dir '$state' --broker mqtt://$mqtt --site school-17 --device reception"
export QORGAN_SHOTS="$ROOT/target/screenshots"
mkdir -p "$QORGAN_SHOTS"

say "browser test against $QORGAN_URL; screenshots go to target/screenshots"
rc=0
npm test --prefix tests/browser || rc=$?
[ $rc -eq 0 ] || { say "end of the hub's log:"; tail -n 30 "$out/hub.log"; }
exit $rc
