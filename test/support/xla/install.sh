#!/usr/bin/env bash
# Installs the CPU plugin of the xla engine into mtcp's cache, once for all checkouts of this machine. Ends with another
# code than 0 if it cannot be had: the tests that need it are pending then, and say so.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cache="${MTCP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mtcp}/engines/xla-cpu"
[ ! -d "$cache" ] || exit 0
mkdir -p "$(dirname "$cache")"
python3 -m venv "$cache.partial"
"$cache.partial/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps lammps-jax-pjrt-cpu==0.11.2
mv "$cache.partial" "$cache"
