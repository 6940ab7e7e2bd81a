"""What may never be told: every token, cookie and password that the tests see, held against all logs and all error bodies; and
what may never be logged: signatures, and the texts of events and messages."""

import contextlib
import json
import re
import urllib.parse

import requests

# The demo's are in the README, and `password` is a word of every second answer.
PUBLIC = {"password", "11223344"}


class Secrets:
    """Those that went over the wire so far."""

    def __init__(self):
        self.texts = set()
        # A refusal may repeat these to who sent them.
        self.signatures = set()
        self.contents = set()

    def note(self, answer):
        request = answer.request
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            self._token(token)
        signature = urllib.parse.parse_qs(urllib.parse.urlsplit(request.url).query).get("auth_signature", [""])[0]
        self.keep_from_logs(signature, *(value for name, value in members(request.body) if name in ("data", "content")))
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

    def keep_from_logs(self, signature, *contents):
        self.signatures.add(signature)
        # Shorter ones may be words of any log.
        self.contents |= {content for content in contents if len(content) >= 20}

    def logged_in(self, text):
        signatures = self.signatures.intersection(re.findall(r"[0-9a-f]{64}", text))
        return self.told_in(text) + list(signatures) + [content for content in self.contents if content in text]

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


# Those of the suite that runs.
SECRETS = Secrets()


@contextlib.contextmanager
def watched():
    """Notes the secrets of every request that `requests` sends meanwhile. A refusal that repeats one fails its test."""
    secrets, send = SECRETS, requests.Session.send

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
