#!/bin/sh
# pusher-js in Node and in Chromium:
# PUSHER_JS=… PUSHER_HTTP_NODE=… NODE_PATH=… pusher-js.sh [node|web|web-min|web-with-encryption]…
set -u
cd "$(dirname "$0")" || exit
[ $# -gt 0 ] || set -- node web web-min web-with-encryption
failed=0
for build in "$@"; do node pusher-js.cjs "$build" || failed=1; done
exit "$failed"
