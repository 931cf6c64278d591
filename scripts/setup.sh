#!/usr/bin/env bash
# Everything a machine needs: `setup.sh build|run|test`. Each step looks first and installs only what is missing,
# so that a second run takes about a second and touches no network. Nothing is compiled here but the web pages.
#
# Removed by hand: rm -rf var api/web/node_modules tests/browser/node_modules; Debian packages stay installed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WANT_RUST=1.95
mode="${1:-}"
case "$mode" in
  build) sets=(build) ;;
  run) sets=(build run) ;;
  test) sets=(build run test) ;;
  *) die "usage: setup.sh build|run|test" ;;
esac

check_rust() {
  { have cargo && have rustc; } || die "Rust is missing: cargo is not on the PATH." \
    "Install version $WANT_RUST or newer with rustup, then run this again. On a bare Debian:" \
    "  apt-get install -y curl ca-certificates && curl --proto =https --tlsv1.2 -sSf https://sh.rustup.rs | sh" \
    "Toolchains are never fetched from here."
  local version
  version="$(cd "$ROOT" && rustc --version | cut -d' ' -f2)"
  version_at_least "${version%%-*}" "$WANT_RUST" || die "Rust $version is too old: $WANT_RUST or newer is needed." "With rustup: rustup update stable"
  note "rust: $version"
}

# Steps of other owners: each prints its own line and does nothing when its product is there.
piece() {
  local said
  [ -x "$ROOT/scripts/$1" ] || die "scripts/$1 is missing from this checkout"
  # Progress is seen while it happens, and silence is noticed all the same.
  said="$("$ROOT/scripts/$1" 2>&1 </dev/null | while IFS= read -r line; do
    printf '        %s\n' "$line" >&3
    printf '%s\n' "$line"
  done)" || die "failed: scripts/$1"
  [ -n "$said" ] || note "${1%.sh}: up to date"
}

exec 3>&1
start=$SECONDS
mkdir -p "$STAMPS"
marker="$STAMPS/.setup-began"
touch "$marker"

say "checking what '$mode' needs"
check_rust
before="$("$ROOT/scripts/packages.sh" --missing "${sets[@]}")"
"$ROOT/scripts/packages.sh" "${sets[@]}"
"$ROOT/scripts/node.sh"
export QORGAN_NODE=checked
"$ROOT/scripts/web.sh"
if [ "$mode" != build ]; then
  piece onnxruntime.sh
  piece models.sh
  piece footage.sh
fi
if [ "$mode" = test ] && [ -f "$ROOT/tests/browser/package-lock.json" ]; then
  "$ROOT/scripts/web.sh" modules tests/browser
fi

# Whatever was installed or made left something newer than the marker.
changed="$(find "$VAR" -path "$VAR/demo" -prune -o -path "$LOGS" -prune -o -name .setup-began -prune -o -name node.env -prune \
  -o -type f -newer "$marker" -print -quit)"
if [ -z "$before$changed" ]; then
  say "everything is in place, nothing was installed ($((SECONDS - start)) s)"
else
  say "set-up done in $((SECONDS - start)) s"
fi
