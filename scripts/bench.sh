#!/usr/bin/env bash
# `make bench`: the benchmarks in release, one after another (never side by side: they would measure each other).
# Each prints what it likes and ends with one JSON line {"name","figures","goals"}; the lines are kept in target/bench/results.jsonl.
# `bench.sh NAME...` runs only these.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

# The one list: programs of the package qorgan-tests with their arguments.
programs=(
  "eval-count --rtsp"   # counting error against people counted by eye, from the file and over RTSP
  bench-inference       # model time per frame, one and two threads
  bench-frame           # decoded picture to published count, and what one camera costs a running hub, by step
  "bench-cameras --full --seconds 60"  # 400 cameras sub, 80 main: cost by step, looks in time, memory, threads; full decode and OpenCV beside it
  "soak-cameras --minutes 30 --cameras 100"  # cameras that drop, stall and come back at random
  bench-alarm           # press to receipt and to the event stream, p50 and p99, few buttons and one desk; --store for PostgreSQL
  "bench-alarms --devices 8000 --desks 50"  # the same with 8,000 buttons and 50 desks, on a busy machine, and all buttons at once
  bench-events          # 5,000 counts a second through MQTT, fusion and store, alarms in between; then up to the limit
  bench-import          # a sheet of 100,000 rows: upload, preview with progress, apply, undo
  bench-tension         # the index of 224 districts and 47 indicators over five years with 1,000 draws, and a forecast
  "fault-alarms --rounds 20"   # hub, disk and connections killed, frozen, filled and cut: no alarm twice, none lost
)
[ $# -eq 0 ] || programs=("$@")

"$ROOT/scripts/setup.sh" run
bins=(--bin qorgan --bin camera-server)
for program in "${programs[@]}"; do bins+=(--bin "${program%% *}"); done
step "building ${#programs[@]} benchmarks (release)" cargo build --release --locked -p qorgan -p qorgan-tests "${bins[@]}"

out="$ROOT/target/bench"
mkdir -p "$out"
lines="$out/results.jsonl"
: >"$lines"
for program in "${programs[@]}"; do
  read -r -a command <<<"$program"
  name="${command[0]}"
  command[0]="$TARGET/release/$name"
  start=$SECONDS
  say "$program"
  # Progress comes on stderr. The JSON line is kept for the end.
  "${command[@]}" </dev/null | tee "$out/$name.out" | { grep -v '^{' || true; } || die "$name failed"
  line="$(grep '^{' "$out/$name.out" | tail -n 1 || true)"
  [ -n "$line" ] || die "$name printed no JSON line"
  printf '%s\n' "$line" >>"$lines"
  note "done in $((SECONDS - start)) s"
done

echo
python3 - "$lines" <<'PY'
import json, sys
for line in open(sys.argv[1]):
    report = json.loads(line)
    print(report["name"])
    for name, value in report["figures"].items():
        shown = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
        print(f"  {name:<44} {shown:>14}")
    for goal in report["goals"]:
        print(f"  {'met   ' if goal['ok'] else 'MISSED'} {goal['goal']}: {goal['value']:g} (goal {goal['target']:g})")
PY
echo
cat "$lines"
