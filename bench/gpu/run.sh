#!/usr/bin/env bash
# The GPU benchmark on a machine with node, a built checkout (dist, node_modules) and a Python with torch and a plugin of
# XLA; it needs no network. Options: --help.
exec node "$(dirname "$0")/../../dist/bench/gpu/main.js" "$@"
