#!/usr/bin/env bash
# `make doctor`: what is missing on this machine, and the command that installs it. Changes nothing. Exit status 1 when something is missing.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

missing=0
good() { printf '  ok       %s\n' "$*"; }
bad() { printf '  missing  %s\n' "$1"; shift; printf '             %s\n' "$@"; missing=$((missing + 1)); }

if have cargo; then
  version="$(rustc --version | cut -d' ' -f2)"
  if version_at_least "${version%%-*}" 1.95; then good "rust $version"; else bad "rust 1.95 (this is $version)" "rustup update stable"; fi
else
  bad "rust" "install it with rustup: https://rustup.rs"
fi
for set in build run test; do
  packages="$("$ROOT/scripts/packages.sh" --missing "$set" | tr '\n' ' ')"
  if [ -z "$packages" ]; then good "Debian packages to $set"; else bad "Debian packages to $set" "apt-get install -y --no-install-recommends $packages"; fi
done
if [ -f var/tools/node.env ] && (. var/tools/node.env && have node && have npm); then
  good "node $(. var/tools/node.env && node --version)"
else
  bad "node 20.19 or newer" "scripts/node.sh"
fi
file() { if compgen -G "$1" >/dev/null; then good "$2"; else bad "$2 ($1)" "$3"; fi; }
file 'var/lib/libonnxruntime.so*' "ONNX Runtime" "scripts/onnxruntime.sh"
file 'models/nanodet-g-416.onnx' "NanoDet weights" "git checkout models/nanodet-g-416.onnx"
file 'var/models/centerface.onnx' "CenterFace weights, to blur faces" "scripts/faces.sh"
file 'var/models/nanodet-g-416-int8.onnx' "NanoDet in int8" "scripts/models.sh"
file 'var/models/csrnet-int8.onnx' "CSRNet in int8" "scripts/models.sh"
file 'var/footage/campus.mp4' "demo footage" "scripts/footage.sh"
file 'api/web/dist/index.html' "web pages" "make web"

built=''
for profile in release debug; do
  if [ -z "$built" ] && [ -x "$TARGET/$profile/qorgan" ]; then built="$TARGET/$profile/qorgan"; fi
done
if [ -n "$built" ]; then
  good "qorgan is built; it says:"
  "$built" doctor || missing=$((missing + 1))
else
  bad "qorgan" "make run"
fi
[ $missing -eq 0 ] || { echo "$missing things are missing; make run installs what can be installed"; exit 1; }
