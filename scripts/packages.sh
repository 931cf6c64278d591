#!/usr/bin/env bash
# Debian packages by scripts/apt-packages.txt: `packages.sh SET...` installs what is missing of these sets,
# `packages.sh --missing SET...` only prints it. When nothing is missing no network is touched.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

only_print=false
if [ "${1:-}" = --missing ]; then only_print=true; shift; fi
[ $# -gt 0 ] || die "usage: packages.sh [--missing] build|run|test..."

wanted=()
while read -r set package _; do
  case " $* " in *" $set "*) wanted+=("$package") ;; esac
done < <(grep -v -e '^#' -e '^[[:space:]]*$' "$ROOT/scripts/apt-packages.txt")

if [ "${QORGAN_SKIP_APT:-}" = 1 ]; then
  $only_print || note "packages: not checked (QORGAN_SKIP_APT=1)"
  exit 0
fi
have dpkg-query || die "the set-up knows the package names of Debian 12 and its like, and this system has no dpkg." \
  "Install what matches these, then set QORGAN_SKIP_APT=1:" "${wanted[*]}"

installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "${wanted[@]}" 2>/dev/null || true)"
missing=()
for package in "${wanted[@]}"; do
  case "$installed" in *" installed:$package "*) ;; *) missing+=("$package") ;; esac
done

if $only_print; then
  [ ${#missing[@]} -eq 0 ] || printf '%s\n' "${missing[@]}"
  exit 0
fi
if [ ${#missing[@]} -eq 0 ]; then
  note "packages: all ${#wanted[@]} present"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  # Without a terminal sudo must not ask for a password: it would wait for ever.
  if have sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ]; }; }; then
    note "sudo is used for apt-get"
    [ -t 0 ] && sudo -v
    as_root=(sudo --preserve-env=DEBIAN_FRONTEND)
  else
    die "${#missing[@]} Debian packages are missing and this user may not install them. As root run:" \
      "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  fi
fi

export DEBIAN_FRONTEND=noninteractive
apt=("${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5)
install() {
  # A broken third-party source makes `update` fail while Debian's own lists are fine: the install decides.
  "${apt[@]}" update || echo "apt-get update failed; trying to install all the same"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}
note "missing: ${missing[*]}"
quiet_step "installing ${#missing[@]} Debian packages" apt install
