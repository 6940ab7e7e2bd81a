"""The README's commands do what they say, as they are written; only the ports are others."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pusher_socket import PusherSocket
from switchboard import run

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(language, containing):
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in text]
    return found


@pytest.fixture
def demo(start):
    return start("--demo")


def at(demo, text):
    return text.replace("127.0.0.1:8000", f"127.0.0.1:{demo.tickets}").replace("6001", str(demo.broker))


def test_a_ticket_by_curl(demo, tmp_path):
    script = at(demo, block("sh", "chat/messages"))
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    decoder, answers, rest = json.JSONDecoder(), [], done.stdout.strip()
    while rest:
        answer, end = decoder.raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].lstrip()
    found, asked, history, answered, note, closed, refused, comments = answers
    (ticket,) = found["data"]
    assert [file["name"] for file in ticket["attachments"]] == ["speaker.png"]
    picture = (tmp_path / "fetched.png").read_bytes()
    assert picture == (tmp_path / "speaker.png").read_bytes() and len(picture) == ticket["attachments"][0]["size"]
    assert asked["data"]["content"] == "Hello?"
    assert [message["id"] for message in history["messages"]] == [asked["data"]["id"]]
    assert answered["data"]["sender"]["role"] == "admin"
    assert note["data"]["internal"] and note["data"]["ticket_id"] == closed["data"]["id"] == ticket["id"]
    assert closed["data"]["status"] == "Closed"
    assert refused["message"] == "The ticket is closed." and "ticket" in refused["errors"]
    assert comments["data"] == []


def test_publishing_with_an_sdk(demo):
    with PusherSocket(demo.broker, demo.key) as client:
        client.subscribe("orders")
        script = at(demo, block("python", "pusher.Pusher"))
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60, cwd=demo.data.parent)
        assert json.loads(client.expect("order.shipped", "orders")["data"]) == {"id": 42}


@pytest.mark.parametrize("document", ["README.md", "docs/configuration.md"])
def test_the_lists_of_apps_are_good_ones(tmp_path, document):
    (text,) = re.findall(r"```yaml\n(.*?)```", (Path(__file__).parents[2] / document).read_text(), re.DOTALL)
    file = tmp_path / "switchboard.yaml"
    file.write_text(text)
    file.chmod(0o600)
    checked = run("check", "--config", file)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr
    assert "4712 (intranet); TLS only" in checked.stdout


def test_every_setting_is_in_its_table():
    names = set(re.findall(r"\[([A-Z_]+);", re.sub(r"\s+", " ", run("serve", "--help").stdout))) | {"PUSHER_APP_SECRET"}
    assert names == set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", block_of_table()))


def block_of_table():
    rows = README[README.index("| environment | default | meaning |"):]
    first_cells = [row.split("|")[1] for row in rows.split("\n\n")[0].splitlines()[2:]]
    return "\n".join(first_cells)
