#!/bin/sh
# pusher-http-python.sh; PYTHON is one that has the package `pusher`, by default that of 'make test'.
cd "$(dirname "$0")" || exit
exec ./sdk.sh pusher-http-python "${PYTHON:-../../.venv/bin/python}" pusher-http-python.py
