#!/bin/sh
# PUSHER_HTTP_NODE=… NODE_PATH=… pusher-http-node.sh
cd "$(dirname "$0")" || exit
exec ./sdk.sh pusher-http-node node pusher-http-node.cjs
