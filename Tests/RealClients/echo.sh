#!/bin/sh
# Laravel Echo, both connectors: ECHO_BUILD=… PUSHER_JS=… PUSHER_HTTP_NODE=… NODE_PATH=… echo.sh [node|browser]…
cd "$(dirname "$0")" || exit
[ $# -gt 0 ] || set -- node browser
failed=0
for place in "$@"; do node echo.cjs "$place" || failed=1; done
exit "$failed"
