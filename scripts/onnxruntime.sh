#!/usr/bin/env bash
# Installs ONNX Runtime: var/lib/libonnxruntime.so.1.31.1, out of the wheel that PyPI has of it, by its sha256. Nothing else
# of the wheel is kept. Debian has no package of it, and no build script downloads anything.
# Silent when the library is there; needs glibc 2.28 or newer.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
exec >&2

version=1.31.1
case "$(uname -m)" in
  x86_64)
    platform=manylinux_2_28_x86_64
    wheel_sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
    bytes=29352200 ;;
  aarch64)
    platform=manylinux_2_28_aarch64
    wheel_sha256=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3
    bytes=25265040 ;;
  *) die "ONNX Runtime $version: no wheel is known for $(uname -m), only for x86_64 and aarch64." \
    "Build the library yourself and put it at var/lib/libonnxruntime.so.$version" ;;
esac
library="$VAR/lib/libonnxruntime.so.$version"
size() { stat -c %s "$1" 2>/dev/null || echo 0; }
# The stamp says that this file came out of this wheel; the size catches a cut or replaced one without reading 29 MB.
if stamped onnxruntime "$wheel_sha256" && [ "$(size "$library")" = "$bytes" ]; then exit 0; fi

mkdir -p "$VAR/lib"
work="$(mktemp -d "$VAR/lib/.onnxruntime.XXXXXX")"
trap 'rm -rf "$work"' EXIT
say "onnxruntime: fetching ONNX Runtime $version (24 MB)"
python="$(venv_python)"
printf 'onnxruntime==%s --hash=sha256:%s\n' "$version" "$wheel_sha256" >"$work/requirements"
# Named for one Python, whatever this machine's is: only the C library inside is wanted.
"$python" -m pip download --quiet --disable-pip-version-check --retries 5 --no-deps --only-binary :all: --require-hashes \
  --implementation cp --python-version 3.11 --abi cp311 --platform "$platform" -r "$work/requirements" -d "$work" ||
  die "onnxruntime: pip could not fetch the wheel with sha256 $wheel_sha256" "Is a package registry reachable? Try: python3 -m pip download onnxruntime==$version"
wheel="$(echo "$work"/*.whl)"
sha256_is "$wheel" "$wheel_sha256" || die "onnxruntime: $(basename "$wheel") does not have the expected sha256 $wheel_sha256"
"$python" - "$wheel" "onnxruntime/capi/libonnxruntime.so.$version" "$work/library" <<'PY'
import shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as out:
    shutil.copyfileobj(source, out)
PY
[ "$(size "$work/library")" = "$bytes" ] || die "onnxruntime: the library has $(size "$work/library") bytes, expected $bytes"
chmod 644 "$work/library"
mv "$work/library" "$library"
stamp onnxruntime "$wheel_sha256"
say "onnxruntime: installed ${library#"$ROOT"/}"
