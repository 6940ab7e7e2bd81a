"""A conformance suite for Pusher-compatible servers: `python -m conformance --help`."""
