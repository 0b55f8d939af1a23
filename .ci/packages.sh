#!/usr/bin/env bash
# Programs that some tests use, from Debian: Chromium (pages) and two shells (completion). Without them these tests are
# pending. Ends with 1 and a line on standard error if something is missing and cannot be installed.
set -uo pipefail
declare -A programs=([chromium]=chromium [zsh]=zsh [fish]=fish)
missing() { for program in "${!programs[@]}"; do command -v "$program" > /dev/null || echo "${programs[$program]}"; done; }
[ -n "$(missing)" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  install() { timeout 300 apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends $(missing); }
  { install || { timeout 120 apt-get -o DPkg::Lock::Timeout=300 update && install; }; } > /dev/null 2>&1
fi
[ -z "$(missing)" ] || { echo "not installed: $(missing | xargs)" >&2; exit 1; }
