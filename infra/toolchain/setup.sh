#!/bin/sh
# Makes .venv ready, and costs next to nothing when it is. Everything after the choice of a Python is Python:
# see infra/toolchain/setup.py. An argument names the Python to take; KEYWRIGHT_VENV another folder than .venv.
set -eu
cd "$(dirname "$0")/../.."

venv=${KEYWRIGHT_VENV:-.venv}
if [ -x "$venv/bin/python" ] && "$venv/bin/python" -S -E -m infra.toolchain.stamp 2>/dev/null; then
    exit 0
fi

# The machine's own python3 first: the developer knows that one. Version managers leave names on the PATH that do
# not run, so each candidate is tried and not merely looked up.
[ $# -gt 0 ] || set -- python3 python3.13 python3.12 python3.11 python3.14 python
for python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" -m infra.toolchain.setup
    fi
done

if [ $# -eq 1 ]; then
    found=$("$1" --version 2>/dev/null || echo "no $1 that runs")
else
    found=$(python3 --version 2>/dev/null || python --version 2>/dev/null || echo "no Python")
fi
echo "Keywright needs Python 3.11 or newer, and this machine has $found. Install it, then say make again." >&2
exit 1
