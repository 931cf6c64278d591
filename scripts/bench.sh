#!/usr/bin/env bash
# `make bench`: the benchmarks in release, one after another (never side by side: they would measure each other).
# Each prints what it likes and ends with one JSON line {"name","figures","goals"}; the lines are kept in target/bench/results.jsonl.
# `bench.sh NAME...` runs only these.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

# The one list: programs of the package qorgan-tests.
programs=(
  bench-inference   # model time per frame, one and two threads
  bench-frame       # decoded picture to published count, and what one camera costs a running hub, by step
  bench-alarm       # press to receipt and to the event stream, p50 and p99
)
[ $# -eq 0 ] || programs=("$@")

"$ROOT/scripts/setup.sh" run
bins=(--bin qorgan)
for program in "${programs[@]}"; do bins+=(--bin "$program"); done
step "building ${#programs[@]} benchmarks (release)" cargo build --release --locked -p qorgan -p qorgan-tests "${bins[@]}"

out="$ROOT/target/bench"
mkdir -p "$out"
lines="$out/results.jsonl"
: >"$lines"
for program in "${programs[@]}"; do
  exe="$TARGET/release/$program"
  [ -x "$exe" ] || die "$exe is missing"
  say "$program"
  "$exe" </dev/null 2>"$out/$program.log" | tee "$out/$program.out" | { grep -v '^{' || true; } \
    || { tail -n 20 "$out/$program.log" >&2; die "$program failed; log: target/bench/$program.log"; }
  line="$(grep '^{' "$out/$program.out" | tail -n 1 || true)"
  [ -n "$line" ] || die "$program printed no JSON line; log: target/bench/$program.log"
  printf '%s\n' "$line" >>"$lines"
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
