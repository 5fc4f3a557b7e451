"""Uploading a file once: by URL and from this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.errors import BadInput
from broadcaster.graph.attachments import upload
from broadcaster.graph.client import GraphClient
from broadcaster.graph.limits import newest_version, versions
from broadcaster.graph.outcomes import Accepted
from broadcaster.sandbox import Sandbox


def test_a_local_file_becomes_an_id_that_can_be_sent(
    sandbox: Sandbox, client: GraphClient, tmp_path: Path
) -> None:
    picture = tmp_path / "menu.png"
    picture.write_bytes(b"\x89PNG" + b"0" * 1000)
    number = upload(client, picture, "image")
    assert sandbox.page.attachments[number].size == 1004
    message = {"attachment": {"type": "image", "payload": {"attachment_id": number}}}
    outcome = client.send(sandbox.person(0).psid, message, messaging_type="UPDATE", metadata="i.1.1")
    assert isinstance(outcome, Accepted)


def test_a_file_by_its_address_becomes_an_id(sandbox: Sandbox, client: GraphClient) -> None:
    assert upload(client, "https://example.com/menu.png", "image") in sandbox.page.attachments


@pytest.mark.parametrize(
    ("name", "size", "kind", "words"),
    [
        ("menu.png", 10, "sticker", "not a kind of attachment"),
        ("menu.mp4", 10, "image", "is video/mp4, not image"),
        ("menu.png", 0, "image", "0.0 MB"),
        ("menu.pdf", 26_214_401, "file", "at most 25"),
    ],
)
def test_what_the_platform_refuses_is_refused_here(
    client: GraphClient, tmp_path: Path, name: str, size: int, kind: str, words: str
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(size)
    with pytest.raises(BadInput, match=words):
        upload(client, path, kind)


def test_a_missing_file_is_named(client: GraphClient, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        upload(client, tmp_path / "gone.png", "image")


def test_the_newest_version_is_a_known_one() -> None:
    assert newest_version() in versions()
