# shellcheck shell=bash
# Sourced by every script of the set-up: paths, messages, stamps, downloads by hash.
# What does not belong here: anything that installs or builds by itself; sourcing this file changes nothing.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VAR="$ROOT/var"                 # everything fetched or generated; git-ignored
STAMPS="$VAR/stamps"            # one file per finished step: the hash of what it was made from
LOGS="$VAR/log"                 # output of long steps
# shellcheck disable=SC2034  # used by the scripts that source this file
TARGET="${CARGO_TARGET_DIR:-$ROOT/target}"

# Debian keeps daemons (mosquitto) where an ordinary user's PATH does not look.
case ":$PATH:" in *:/usr/sbin:*) ;; *) export PATH="$PATH:/usr/sbin" ;; esac
# rustup's default place: a shell that did not source its profile yet still finds cargo.
if [ -d "$HOME/.cargo/bin" ]; then
  case ":$PATH:" in *":$HOME/.cargo/bin:"*) ;; *) export PATH="$HOME/.cargo/bin:$PATH" ;; esac
fi

if [ -t 1 ]; then _bold=$'\e[1m' _dim=$'\e[2m' _red=$'\e[31m' _off=$'\e[0m'; else _bold='' _dim='' _red='' _off=''; fi

# say WORDS: one line about what is going on.
say() { printf '%s\n' "${_bold}qorgan:${_off} $*"; }
# note WORDS: detail under a say line.
note() { printf '%s\n' "${_dim}        $*${_off}"; }
# die WORDS: the reason on stderr, then exit 1. Further arguments are further lines.
die() {
  printf '%s\n' "${_red}qorgan: $1${_off}" >&2
  shift
  [ $# -eq 0 ] || printf '        %s\n' "$@" >&2
  exit 1
}

# A function given to step or quiet_step must join its commands with `&&`: bash switches `set -e` off inside them.

# step WHAT COMMAND...: runs COMMAND with its output on the terminal, then says how long it took.
step() {
  local what="$1" start=$SECONDS
  shift
  say "$what"
  "$@" || die "failed: $what (after $((SECONDS - start)) s)"
  note "done in $((SECONDS - start)) s"
}

# quiet_step WHAT LOGNAME COMMAND...: output goes to var/log/LOGNAME.log; every 20 s the last line of it is shown;
# its end is printed when COMMAND fails.
quiet_step() {
  local what="$1" log="$LOGS/$2.log" start=$SECONDS rc=0 beat
  shift 2
  mkdir -p "$LOGS"
  say "$what"
  # `read -t` on an empty pipe waits without a child process: a `sleep` would outlive us and hold our output open.
  ( while :; do
    read -rt 20 <> <(:) || true
    note "$((SECONDS - start)) s: $(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c 1-100)"
  done ) &
  beat=$!
  "$@" >"$log" 2>&1 </dev/null || rc=$?
  kill "$beat" 2>/dev/null || true
  wait "$beat" 2>/dev/null || true
  if [ $rc -ne 0 ]; then
    tail -n 25 "$log" >&2
    die "failed: $what (status $rc after $((SECONDS - start)) s; whole log: ${log#"$ROOT"/})"
  fi
  note "done in $((SECONDS - start)) s"
}

# have COMMAND: true when it is on the PATH.
have() { command -v "$1" >/dev/null 2>&1; }

# version_at_least HAVE WANT: compares dotted versions.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# hash_of PATH...: one hash over the names and contents of files and folders (build products left out).
hash_of() {
  ( cd "$ROOT" && find "$@" \( -name node_modules -o -name dist -o -name __pycache__ -o -name target \) -prune -o -type f -print0 \
    | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1 )
}

# stamped NAME HASH: true when step NAME was finished for exactly this HASH.  stamp NAME HASH: notes that it is.
stamped() { [ -f "$STAMPS/$1" ] && [ "$(cat "$STAMPS/$1")" = "$2" ]; }
stamp() { mkdir -p "$STAMPS" && printf '%s\n' "$2" >"$STAMPS/$1"; }

# sha256_is FILE SHA256: true when FILE exists and has that hash.
sha256_is() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }

# venv_python: prints the path of a private Python (var/tools/venv), made when missing. Nothing is ever installed system-wide.
venv_python() {
  local venv="$VAR/tools/venv" base
  if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    # Debian's own Python when there is one: it is the one whose -venv package the list installs.
    if [ -x /usr/bin/python3 ]; then base=/usr/bin/python3; else base=python3; fi
    rm -rf "$venv"
    mkdir -p "$VAR/tools"
    "$base" -m venv "$venv" >&2 || die "cannot make a Python environment in ${venv#"$ROOT"/}" "Debian: apt-get install python3-venv"
  fi
  printf '%s\n' "$venv/bin/python"
}

# pip_fetch NAME VERSION SHA256 FOLDER: downloads that one archive into FOLDER through pip and no other; a wrong hash is an error.
pip_fetch() {
  local py req="$4/.$1.req"
  py="$(venv_python)" && mkdir -p "$4" || return 1
  printf '%s==%s --hash=sha256:%s\n' "$1" "$2" "$3" >"$req"
  "$py" -m pip download --quiet --disable-pip-version-check --retries 5 --no-deps --only-binary :all: --require-hashes \
    -r "$req" -d "$4" && rm -f "$req"
}

# free_port WANTED|any: prints WANTED when nothing on loopback listens there, else some free port.
free_port() {
  if [ "$1" != any ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    printf '%s\n' "$1"
  else
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
  fi
}

# wait_for SECONDS WHAT COMMAND...: polls until COMMAND succeeds; false when the time is over.
wait_for() {
  local until=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@"; do
    if [ $SECONDS -ge $until ]; then
      printf '%s\n' "${_red}qorgan: waited in vain for $what${_off}" >&2
      return 1
    fi
    read -rt 0.2 <> <(:) || true
  done
}

# listens PORT: true when something on loopback takes connections there.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The demo's cameras, for camera-server: what configs/demo.toml calls rtsp://127.0.0.1:8554/campus, /gate and /fast.
# shellcheck disable=SC2034  # used by the scripts that source this file
DEMO_CAMERAS=(
  --mount "campus=$VAR/footage/campus.mp4"
  --mount "gate=$VAR/footage/campus-gate.mp4"
  --mount "fast=$VAR/footage/campus-fast.mp4"
)
