#!/bin/sh
# Makes the demo's footage out of vtest.avi: a campus path with 2 to 9 people, 768x576, 10 frames a second,
# 795 frames, which Debian ships in the package opencv-doc. It is MS MPEG-4 version 3; cameras speak H.264, so it is
# transcoded once, with GStreamer's x264enc. Frame i of campus.mp4 is frame i of vtest.avi.
#
#   campus.mp4       the whole picture, a key frame every 2 s
#   campus-gate.mp4  its lower right, 384x432, a key frame every 2 s
#   campus-fast.mp4  its left, 448x576, at double speed (20 frames a second), a key frame every 2 s
#   campus-eval.mp4  the whole picture, a key frame every 9 frames: every counted frame of
#                    tests/data/vtest-truth.csv (9, 27, 45, ...) is a key frame, for eval-count over RTSP
#
# Usage: scripts/footage.sh [DIRECTORY]    (default: var/footage at the root of the repository)
# Does nothing when everything is there. Messages go to stderr.
set -eu

sha256=45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf
recipe=1 # raise it when a pipeline below changes, so that old files are made again
installed=/usr/share/doc/opencv-doc/examples/data/vtest.avi

root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/var/footage}
mkdir -p "$out"
stamp=$out/.stamp
want="recipe $recipe source $sha256"
clips="campus campus-gate campus-fast campus-eval"

say() { echo "footage: $*" >&2; }
fail() { say "$*"; exit 1; }

up_to_date() {
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] || return 1
    for clip in $clips; do [ -s "$out/$clip.mp4" ] || return 1; done
}
up_to_date && exit 0

command -v gst-launch-1.0 >/dev/null || fail "gst-launch-1.0 is missing: apt-get install gstreamer1.0-tools"
for element in x264enc:gstreamer1.0-plugins-ugly avdec_msmpeg4:gstreamer1.0-libav avidemux:gstreamer1.0-plugins-good \
    h264parse:gstreamer1.0-plugins-bad videocrop:gstreamer1.0-plugins-good; do
    gst-inspect-1.0 --exists "${element%%:*}" || fail "GStreamer lacks ${element%%:*}: apt-get install ${element#*:}"
done

# Everything is made in a directory beside the target, so that a rename puts each file in place whole.
work=$(mktemp -d "$out/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The source: as installed, compressed by a documentation trigger, or out of the package itself
# (slim images tell dpkg to leave documentation out).
source=$work/vtest.avi
if [ -f "$installed" ]; then
    cp "$installed" "$source"
elif [ -f "$installed.gz" ]; then
    gunzip -c "$installed.gz" >"$source"
else
    say "opencv-doc is not unpacked here: fetching the package itself"
    chmod 755 "$work"
    (cd "$work" && apt-get download -q opencv-doc >&2) || fail "apt-get download opencv-doc failed (is apt-get update needed?)"
    dpkg-deb -x "$work"/opencv-doc_*.deb "$work/deb"
    if [ -f "$work/deb$installed" ]; then
        mv "$work/deb$installed" "$source"
    elif [ -f "$work/deb$installed.gz" ]; then
        gunzip -c "$work/deb$installed.gz" >"$source"
    else
        fail "the package opencv-doc holds no vtest.avi"
    fi
    rm -rf "$work/deb" "$work"/*.deb
fi
found=$(sha256sum "$source" | cut -d' ' -f1)
[ "$found" = "$sha256" ] || fail "vtest.avi has sha256 $found, expected $sha256"

# transcode NAME FRAMES_BETWEEN_KEY_FRAMES [ELEMENTS...]: constant quality, fine enough that counts do not change;
# no scene-cut key frames, so that key frames lie exactly where the interval says.
transcode() {
    name=$1 interval=$2
    shift 2
    say "making $name.mp4"
    gst-launch-1.0 -q filesrc location="$source" ! avidemux ! avdec_msmpeg4 ! videoconvert \
        ! "$@" x264enc tune=zerolatency speed-preset=veryfast pass=quant quantizer=18 key-int-max="$interval" option-string=scenecut=0 \
        ! video/x-h264,profile=main ! h264parse ! mp4mux faststart=true ! filesink location="$work/$name.mp4" >&2 ||
        fail "GStreamer could not make $name.mp4"
    mv "$work/$name.mp4" "$out/$name.mp4"
}
transcode campus 20
transcode campus-gate 20 videocrop left=384 top=144 !
transcode campus-fast 40 videocrop right=320 ! videorate rate=2.0 ! video/x-raw,format=I420,framerate=20/1 !
transcode campus-eval 9

echo "$want" >"$stamp.new"
mv "$stamp.new" "$stamp"
say "done: $out"
