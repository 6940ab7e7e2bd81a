"""The ticket API as a REST client meets it."""

import requests


class TicketClient:
    def __init__(self, port, token=None, user=None):
        self.url = f"http://127.0.0.1:{port}"
        self.token = token
        self.user = user
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Accept"] = "application/json"
        if token:
            self.http.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def register(cls, port, email, name="Ada", password="a long password"):
        body = {"name": name, "email": email, "password": password, "password_confirmation": password}
        answer = cls(port).post("/register", body, status=201)
        return cls(port, answer["token"], answer["user"])

    @classmethod
    def login(cls, port, email, password="a long password"):
        answer = cls(port).post("/login", {"email": email, "password": password}, status=200)
        return cls(port, answer["token"], answer["user"])

    def at(self, port):
        """The same user at a server that listens on another port now."""
        return TicketClient(port, self.token, self.user)

    def request(self, method, path, body=None, timeout=30, **options):
        return self.http.request(method, self.url + path, json=body, timeout=timeout, **options)

    def get(self, path, status=200, **parameters):
        return self._checked(self.request("GET", path, params=parameters), status)

    def post(self, path, body=None, status=201, headers=None):
        return self._checked(self.request("POST", path, body, headers=headers), status)

    @staticmethod
    def _checked(answer, status):
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json()

    def open_ticket(self, subject="It is broken"):
        body = {"subject": subject, "description": "Please help.", "category": "Technical", "priority": "Medium"}
        return self.post("/tickets", body)["data"]

    def say(self, ticket, content, socket_id=None):
        headers = {"X-Socket-ID": socket_id} if socket_id else None
        return self.post(f"/tickets/{ticket}/chat/messages", {"content": content}, headers=headers)["data"]

    def history(self, ticket):
        """Every message of the ticket's chat, oldest first, page by page."""
        messages, after = [], 0
        while True:
            page = self.get(f"/tickets/{ticket}/chat", after=after, limit=200)
            messages += page["messages"]
            if not page["meta"]["has_more_after"]:
                return messages
            after = messages[-1]["id"]

    def channel_auth(self, socket_id, channel):
        """What Echo sends to /broadcasting/auth: a form."""
        return self.http.post(
            self.url + "/broadcasting/auth", data={"socket_id": socket_id, "channel_name": channel}, timeout=30)
