#!/usr/bin/env bash
# The arrows of ARCHITECTURE.md, held by cargo's own dependency graph:
#
#   domain <- ingest | inference | alerts <- api
#
# Every broken invariant is printed with its reason and the path by which the crate came in; the exit status is 1 when there is one.
# What does not belong here: style and licences (clippy, cargo-deny).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

broken=0
checked=0

tree() { cargo tree --locked --quiet --color never "$@"; }

# crates TREE-ARGUMENTS...: names of all crates in that graph, one a line. A failing cargo ends the script: an empty graph proves nothing.
crates() { tree --prefix none --format '{p}' "$@" | awk 'NF { print $1 }' | LC_ALL=C sort -u; }

# absent WHO WHY PATTERN TREE-ARGUMENTS...: no crate of that graph has a name that the extended regular expression matches entirely.
absent() {
  local who="$1" why="$2" pattern="$3" names found crate
  shift 3
  checked=$((checked + 1))
  names="$(crates "$@")" || die "cargo tree $* failed"
  [ -n "$names" ] || die "cargo tree $* printed nothing"
  found="$(grep -Ex -- "$pattern" <<<"$names" || true)"
  [ -n "$found" ] || return 0
  broken=$((broken + 1))
  printf '%s\n' "${_red}broken: $who must not depend on: $(tr '\n' ' ' <<<"$found")${_off}" "        why: $why" >&2
  for crate in $(head -n 3 <<<"$found"); do
    # `-i` wants a name that is unique in the graph; with two versions of it the first line of cargo's error names them.
    { tree -i "$crate" "$@" 2>&1 || true; } | head -n 8 | sed 's/^/        /' >&2
  done
}

code='normal,build'         # what ships; tests may use more
all='normal,build,dev'

absent domain "it is vocabulary without I/O; everything imports it" \
  'tokio|sqlx(-.*)?|gstreamer.*|ort|axum|reqwest|rmqtt|rumqttc|retina|qorgan(-(ingest|inference|alerts|tests))?' \
  -p qorgan-domain --all-features -e "$code"
absent alerts "fusion and journal know no video, no models, no HTTP and no broker: they are fed and asked by api" \
  'gstreamer.*|ort|ort-sys|axum|rmqtt.*|rumqttc|retina' -p qorgan-alerts --all-features -e "$code"
absent inference "a model gets a frame and gives a count; it runs on plain threads" \
  'tokio|gstreamer.*|sqlx(-.*)?|axum|rmqtt.*|rumqttc|retina' -p qorgan-inference --all-features -e "$code"

siblings='siblings never import each other; api injects what crosses'
absent ingest "$siblings" 'qorgan-inference|qorgan-alerts|qorgan' -p qorgan-ingest --all-features -e "$all"
absent inference "$siblings" 'qorgan-ingest|qorgan-alerts|qorgan' -p qorgan-inference --all-features -e "$all"
absent alerts "$siblings" 'qorgan-ingest|qorgan-inference|qorgan' -p qorgan-alerts --all-features -e "$all"
absent qorgan "test helpers must not ship" 'qorgan-tests' -p qorgan --all-features -e "$all"

absent "qorgan as a centre" "a centre without cameras builds and runs without GStreamer and ONNX Runtime" \
  'gstreamer.*|ort|ort-sys|retina|qorgan-inference' -p qorgan --no-default-features --features centre -e "$code"

absent "the workspace" "one TLS library, rustls: no C library to keep patched" 'openssl|openssl-sys|native-tls' --workspace --all-features -e "$all"
absent "the workspace" "no build script downloads: ort gets its library from set-up, by hash (its download feature brings ureq)" \
  'ureq' --workspace --all-features -e "$all"

# rustls without a chosen provider refuses to guess when two are compiled in. rmqtt-net asks for aws-lc-rs by itself and cannot be told
# otherwise, and so does oxvif for an HTTP client of its own that the hub never opens (ingest/src/onvif/transport.rs is used instead);
# nothing else may, and the program installs `ring` at start.
# The graph is read as feature -> who switches it on, and walked from rustls' own features up to the crates that ask.
checked=$((checked + 1))
graph="$(tree --workspace --all-features -e "features,$all" -i rustls --prefix depth)" || die "cargo tree -i rustls failed"
asking="$(awk '
  { depth = $0 + 0; sub(/^[0-9]+/, ""); sub(/ \((\*|command-line)\)$/, ""); at[depth] = $0
    if (depth > 0) asked_by[at[depth - 1]] = asked_by[at[depth - 1]] "\n" $0 }
  END {
    n = split("aws-lc-rs aws_lc_rs prefer-post-quantum fips default", feature, " ")
    for (i = 1; i <= n; i++) todo[i] = "rustls feature \"" feature[i] "\""
    for (i = 1; i <= n; i++) {
      if (todo[i] in seen) continue
      seen[todo[i]] = 1
      if (todo[i] !~ / feature "/) { split(todo[i], word, " "); print word[1]; continue }
      m = split(substr(asked_by[todo[i]], 2), parent, "\n")
      for (j = 1; j <= m; j++) todo[++n] = parent[j]
    }
  }' <<<"$graph" | LC_ALL=C sort -u)"
others="$(grep -vxE 'rmqtt-net|oxvif' <<<"$asking" || true)"
if [ -n "$others" ]; then
  broken=$((broken + 1))
  printf '%s\n' "${_red}broken: ring is the only TLS provider, and these ask rustls for aws-lc-rs: $(tr '\n' ' ' <<<"$others")${_off}" \
    "        why: two providers double the C build, and rustls panics where none was chosen; switch off that crate's default features" >&2
fi

[ $broken -eq 0 ] || die "$broken of $checked architecture invariants are broken"
say "all $checked architecture invariants hold"
