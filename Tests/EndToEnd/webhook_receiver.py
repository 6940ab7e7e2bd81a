"""An endpoint for webhooks: keeps what it gets, answers as it is told."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from switchboard import wait_until


class WebhookReceiver:
    def __init__(self):
        self.requests = []  # (headers, body)
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.requests.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hooks"

    def request(self, number):
        """The request of this number, once it has come."""
        return wait_until(lambda: len(self.requests) > number and self.requests[number], f"webhook {number}")

    def close(self):
        self.server.shutdown()
        self.server.server_close()
