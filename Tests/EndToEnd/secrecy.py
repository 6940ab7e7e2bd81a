"""What may never be told: every token, cookie and password that the tests see, held against all logs and all error bodies."""

import contextlib
import json
import urllib.parse

import requests

# The demo's are in the README, and `password` is a word of every second answer.
PUBLIC = {"password", "11223344"}


class Secrets:
    """Those that went over the wire so far."""

    def __init__(self):
        self.texts = set()

    def note(self, answer):
        request = answer.request
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            self._token(token)
        for name, value in members(request.body) + members(answer.content):
            if name == "token":
                self._token(value)
            elif "password" in name and value not in PUBLIC and len(value) >= 8:
                self.texts.add(value)
        for cookie in answer.cookies:
            self.texts |= {cookie.value, urllib.parse.unquote(cookie.value)}

    def _token(self, token):
        # A log may name the id before the bar; the secret stands behind it.
        secret = urllib.parse.unquote(token).partition("|")[2]
        if len(secret) >= 40:
            self.texts.add(secret)

    def told_in(self, text):
        return [secret for secret in self.texts if secret and secret in text]


def members(body):
    """The texts at the top of a JSON object or a form."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body if isinstance(body, str) else ""
    if not text.startswith("{"):
        return urllib.parse.parse_qsl(text)
    try:
        return [(name, value) for name, value in json.loads(text).items() if isinstance(value, str)]
    except ValueError:
        return []


@contextlib.contextmanager
def watched():
    """Notes the secrets of every request that `requests` sends meanwhile. A refusal that repeats one fails its test."""
    secrets, send = Secrets(), requests.Session.send

    def noted(session, request, **options):
        answer = send(session, request, **options)
        if not options.get("stream"):
            secrets.note(answer)
            assert answer.status_code < 400 or not secrets.told_in(answer.text), f"a refusal tells a secret: {answer.text}"
        return answer

    requests.Session.send = noted
    try:
        yield secrets
    finally:
        requests.Session.send = send
