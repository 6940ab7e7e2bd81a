#!/bin/sh
# PYSHER=… pysher.sh: Pysher's own test, with the broker in place of its stub server. PYTHON is one that has its
# dependencies and the package `pusher`, by default that of 'make test'.
cd "$(dirname "$0")" || exit
: "${PYSHER:?names the directory of Pysher}"
SWITCHBOARD_BIN=$(realpath "${SWITCHBOARD_BIN:-../../.build/debug/switchboard}")
export SWITCHBOARD_BIN
# -P: or the test would find its stub server beside itself.
if PYTHONPATH="$PYSHER/src:pysher" "${PYTHON:-../../.venv/bin/python}" -P "$PYSHER/tests/test_pusherclient.py"; then
    echo "ok   Pysher: its own test"
else
    echo "FAIL Pysher: its own test"
    exit 1
fi
