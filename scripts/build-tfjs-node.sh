#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node, the `tensorflow` engine, where its own installer cannot download: the addon is
# compiled from the sources in the npm package against the libtensorflow inside PyPI's tensorflow-cpu wheel.
#
#   scripts/build-tfjs-node.sh          build what is not there yet (a minute; 1 GB in .cache/)
#
# Needs npm and PyPI (or mirrors of them), g++ and Python 3 with pip. The package goes to node_modules without being
# noted in package.json, so `npm ci` takes it away again; the library stays in .cache/tensorflow.
set -euo pipefail
cd "$(dirname "$0")/.."

TFJS_NODE=4.22.0 # that of @tensorflow/tfjs-core in package.json
TENSORFLOW=${MTCP_TENSORFLOW_VERSION:-2.21.0}
NAPI=8
package=node_modules/@tensorflow/tfjs-node
library=$PWD/.cache/tensorflow/$TENSORFLOW
addon=$package/lib/napi-v$NAPI/tfjs_binding.node

need() {
  command -v "$1" >/dev/null || { echo "build-tfjs-node: $1 is missing; $2" >&2; exit 1; }
}
need g++ 'install a C++ compiler (Debian: apt-get install g++)'
need python3 'install Python 3 with pip'

if [ ! -e "$library/tensorflow/libtensorflow_cc.so.2" ]; then
  echo "fetching libtensorflow $TENSORFLOW from PyPI" >&2
  wheels=$(mktemp -d)
  trap 'rm -rf "${wheels:-}"' EXIT
  python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$wheels" "tensorflow-cpu==$TENSORFLOW"
  rm -rf "$library.partial" && mkdir -p "$library.partial"
  # Only the libraries and the headers: the rest of the wheel is Python.
  python3 - "$wheels"/*.whl "$library.partial" <<'PYTHON'
import sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith("tensorflow/lib") and ".so" in name.rsplit("/", 1)[-1] or name.startswith("tensorflow/include/"):
            archive.extract(name, folder)
PYTHON
  rm -rf "$library" && mv "$library.partial" "$library"
fi

if [ ! -e "$package/package.json" ]; then
  echo "unpacking @tensorflow/tfjs-node $TFJS_NODE without running its install script" >&2
  unpacked=$(mktemp -d)
  trap 'rm -rf "${wheels:-}" "$unpacked"' EXIT
  npm pack --silent --pack-destination "$unpacked" "@tensorflow/tfjs-node@$TFJS_NODE" >/dev/null
  tar -xzf "$unpacked"/*.tgz -C "$unpacked"
  # TensorFlow.js itself must be the one that mtcp loads, so it is not among what is installed beside the package.
  (
    cd "$unpacked/package"
    npm pkg delete scripts devDependencies 'dependencies[@tensorflow/tfjs]' >/dev/null
    npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error >/dev/null
  )
  rm -rf "$package" && mkdir -p "$(dirname "$package")" && mv "$unpacked/package" "$package"
fi

if [ ! -e "$addon" ]; then
  headers=$(node -p "require('path').resolve(process.execPath, '../../include/node')")
  if [ ! -e "$headers/node_api.h" ]; then
    headers=$package/node_modules/node-api-headers/include
    [ -e "$headers" ] || {
      mkdir -p "$package/node_modules/node-api-headers"
      archive=$(npm pack --silent --pack-destination "$package/node_modules" node-api-headers)
      tar -xzf "$package/node_modules/$archive" -C "$package/node_modules/node-api-headers" --strip-components 1
    }
  fi
  echo "compiling the addon" >&2
  mkdir -p "$(dirname "$addon")"
  g++ -O2 -fPIC -shared -std=c++17 -w -DNAPI_VERSION=$NAPI \
    -I"$headers" -I"$library/tensorflow/include" \
    "$package"/binding/*.cc -o "$addon.partial" \
    -L"$library/tensorflow" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 \
    -Wl,-rpath,"$library/tensorflow"
  mv "$addon.partial" "$addon"
fi
echo "@tensorflow/tfjs-node $TFJS_NODE on libtensorflow $TENSORFLOW is ready: mtcp run ... --engine tensorflow"
