#!/usr/bin/env bash
# Debian's Slurm and munge for the tests on a cluster. Fails if they are not here and cannot be installed.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
there() { command -v munged slurmctld slurmd sbatch > /dev/null; }
there && exit
[ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null
export DEBIAN_FRONTEND=noninteractive
install() { timeout 420 apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends slurm-wlm munge; }
install || { timeout 60 apt-get -o DPkg::Lock::Timeout=50 update && install; }
there
