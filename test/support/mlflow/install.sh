#!/usr/bin/env bash
# Makes a Python environment with MLflow, once for all checkouts of this machine, and prints its Python:
#
#   ~/.cache/mtcp/mlflow-<digest of requirements.txt>/
#     bin/python     MLflow and what it needs
#     template.db    an empty store with MLflow's tables, so that a test server starts without making them
#
# Ends with 3 if PyPI cannot be reached.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/mtcp"
digest=$(cksum < "$here/requirements.txt" | cut -d ' ' -f 1)
folder="$cache/mlflow-$digest"
mkdir -p "$cache"

# Whoever comes second waits for the first; a lock whose process is gone is taken over.
lock="$folder.lock"
until mkdir "$lock" 2>/dev/null; do
  owner=$(cat "$lock/pid" 2>/dev/null || true)
  if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$lock"; else sleep 0.5; fi
done
echo $$ > "$lock/pid"
trap 'rm -rf "$lock"' EXIT

if [ ! -e "$folder/ready" ]; then
  rm -rf "$folder"
  python=
  for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      python=$candidate
      break
    fi
  done
  if [ -z "$python" ]; then
    echo "MLflow needs Python 3.10 or newer with the module venv" >&2
    exit 1
  fi
  # Told apart from a package that does not install: only the former may skip the tests.
  index=$("$python" -m pip config get global.index-url 2>/dev/null || echo https://pypi.org/simple)
  index=${PIP_INDEX_URL:-$index}
  if ! "$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1].rstrip("/") + "/mlflow/", timeout=20)' "$index" >/dev/null 2>&1; then
    echo "PyPI cannot be reached ($(echo "$index" | sed 's#//[^/@]*@#//#'))" >&2
    exit 3
  fi
  "$python" -m venv "$folder" >&2
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
  MLFLOW_DISABLE_TELEMETRY=true "$folder/bin/python" - "$folder/template.db" >&2 << 'PY'
import sys
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
SqlAlchemyStore(f"sqlite:///{sys.argv[1]}", "mlflow-artifacts:/")
PY
  touch "$folder/ready"
fi
echo "$folder/bin/python"
