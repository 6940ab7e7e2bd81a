#!/bin/sh
# PUSHER_HTTP_PHP=… pusher-http-php.sh; PHP_AUTOLOAD loads Guzzle, by default Debian's.
cd "$(dirname "$0")" || exit
: "${PUSHER_HTTP_PHP:?names the directory of pusher-http-php}"
export PHP_AUTOLOAD="${PHP_AUTOLOAD:-/usr/share/php/GuzzleHttp/autoload.php}"
exec ./sdk.sh pusher-http-php php pusher-http-php.php
