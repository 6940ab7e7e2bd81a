#!/bin/sh
# sdk.sh NAME COMMAND…: what the scripts of the server SDKs have in common.
cd "$(dirname "$0")" || exit
# Node has WebSocket from version 22 on without the flag.
exec node --experimental-websocket --no-warnings sdk.cjs "$@"
