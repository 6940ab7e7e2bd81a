#!/bin/sh
# PUSHER_HTTP_GO_DRIVER=… pusher-http-go.sh: the program of pusher-http-go/main.go.
cd "$(dirname "$0")" || exit
: "${PUSHER_HTTP_GO_DRIVER:?names the compiled pusher-http-go/main.go}"
exec ./sdk.sh pusher-http-go "$PUSHER_HTTP_GO_DRIVER"
