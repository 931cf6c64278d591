#!/usr/bin/env bash
# The web pages: `web.sh` installs the npm modules and builds api/web/dist, each only when what it comes from has changed.
# `web.sh modules FOLDER` installs the modules of any folder with a package-lock.json.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "${QORGAN_NODE:-}" = checked ] || "$ROOT/scripts/node.sh"
. "$VAR/tools/node.env"

# The lock file says what belongs there; the Node version, because some modules carry compiled parts.
modules() {
  local folder="$1" name hash
  name="npm-$(printf '%s' "$folder" | tr '/' '-')"
  hash="$(hash_of "$folder/package-lock.json")-$(node --version)"
  if stamped "$name" "$hash" && [ -d "$ROOT/$folder/node_modules" ]; then
    note "npm modules of $folder: up to date"
    return
  fi
  quiet_step "installing npm modules of $folder" "$name" npm ci --prefix "$ROOT/$folder" --no-audit --no-fund --no-update-notifier
  stamp "$name" "$hash"
}

build() {
  local hash
  hash="$(hash_of api/web configs/areas)"
  if stamped web "$hash" && [ -f "$ROOT/api/web/dist/index.html" ]; then
    note "web pages: up to date"
    return
  fi
  quiet_step "building the web pages" web npm run build --prefix "$ROOT/api/web"
  # The pages are compiled into the hub; cargo does not see a folder that was not there at the last build.
  touch "$ROOT/api/src/web.rs"
  stamp web "$hash"
}

case "${1:-all}" in
  all) modules api/web; build ;;
  modules) modules "${2:?folder}" ;;
  *) die "usage: web.sh [modules FOLDER]" ;;
esac
