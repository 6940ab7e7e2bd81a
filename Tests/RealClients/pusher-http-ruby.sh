#!/bin/sh
# PUSHER_HTTP_RUBY=… PUSHER_SIGNATURE=… pusher-http-ruby.sh; httpclient, multi_json and rbnacl are installed gems.
cd "$(dirname "$0")" || exit
: "${PUSHER_HTTP_RUBY:?names the directory of pusher-http-ruby}"
: "${PUSHER_SIGNATURE:?names the directory of pusher-signature}"
exec ./sdk.sh pusher-http-ruby ruby -I "$PUSHER_HTTP_RUBY/lib" -I "$PUSHER_SIGNATURE/lib" pusher-http-ruby.rb
