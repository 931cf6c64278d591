#!/usr/bin/env bash
# The demo: the camera server in the background, the hub in the foreground, ended together. Nothing is built here.
# `run.sh [ARGUMENTS FOR qorgan run...]`; QORGAN_PROFILE=debug takes the debug build.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

bin="$TARGET/${QORGAN_PROFILE:-release}"
{ [ -x "$bin/qorgan" ] && [ -x "$bin/camera-server" ]; } || die "nothing is built in ${bin#"$ROOT"/}" "run: make run"

# The hub holds this lock while it runs.
if [ -f var/demo/lock ] && ! flock -n var/demo/lock true; then
  die "the demo is already running (it holds var/demo/lock)" "its page is http://127.0.0.1:8080/ unless it said otherwise; end it with Ctrl-C where it runs"
fi

camera_pid=''
hub_pid=''
finish() {
  # Only what this script started, by its process id; the hub first, so that it does not log lost cameras.
  trap - EXIT INT TERM HUP
  local pid
  for pid in $hub_pid $camera_pid; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}
trap finish EXIT
trap 'finish; exit 130' INT
trap 'finish; exit 143' TERM HUP

port="$(free_port 8554)"
extra=()
if [ "$port" != 8554 ]; then
  note "port 8554 is taken; the demo's cameras are on $port"
  extra+=(--camera-base "rtsp://127.0.0.1:$port")
fi
# other_port OPTION PORT...: the demo takes free ports when somebody has one of its own (Debian's mosquitto likes 1883).
other_port() {
  local option="$1" taken
  shift
  for taken in "$@"; do
    if listens "$taken"; then
      note "port $taken is taken; the hub takes a free one and prints it below (without TLS)"
      extra+=("$option" 127.0.0.1:0)
      return
    fi
  done
}
case " $* " in *" --http"*) ;; *) other_port --http 8080 8443 ;; esac
case " $* " in *" --mqtt"*) ;; *) other_port --mqtt 1883 8883 ;; esac
case " $* " in *" --dc09"*) ;; *) other_port --dc09 12000 ;; esac

mkdir -p "$LOGS"
"$bin/camera-server" --port "$port" "${DEMO_CAMERAS[@]}" </dev/null >"$LOGS/camera-server.log" 2>&1 &
camera_pid=$!
camera_ready() { kill -0 "$camera_pid" 2>/dev/null || return 0; listens "$port"; }
wait_for 20 "the camera server" camera_ready || die "the camera server does not answer; its log: var/log/camera-server.log"
kill -0 "$camera_pid" 2>/dev/null || { tail -n 20 "$LOGS/camera-server.log" >&2; die "the camera server ended at once"; }
note "cameras: rtsp://127.0.0.1:$port/campus, /gate and /fast (real footage, looped)"

# In the background and waited for: a trap runs only between commands, and the hub must get its TERM when this script gets one.
"$bin/qorgan" run --config configs/demo.toml "${extra[@]}" "$@" &
hub_pid=$!
rc=0
wait "$hub_pid" || rc=$?
hub_pid=''
exit $rc
