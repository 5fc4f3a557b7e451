"""Uploading a file once, to be sent many times by its id (valid 90 days, for this Page only)."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path
from typing import Any

from broadcaster.errors import BadInput
from broadcaster.graph.client import GraphClient
from broadcaster.graph.limits import limit
from broadcaster.states import Platform

KINDS = ("image", "audio", "video", "file")
_MEGABYTE = 1024 * 1024


def upload(client: GraphClient, source: Path | str, kind: str) -> str:
    """The attachment id of a local file (Path) or of a file the platform fetches itself (URL).

    BadInput for a file that is missing, too large, or of another type than ``kind``; CallRefused, Unreachable.
    """
    if kind not in KINDS:
        raise BadInput(f"{kind!r} is not a kind of attachment.", f"Choose one of {', '.join(KINDS)}.")
    payload: dict[str, Any] = {"is_reusable": True}
    if isinstance(source, str):
        payload["url"] = source
        answer = client.post_edge("message_attachments", _form(client, kind, payload))
    else:
        content_type = _checked(source, kind, client.platform)
        with source.open("rb") as file:
            files = {"filedata": (source.name, file, content_type)}
            answer = client.post_edge("message_attachments", _form(client, kind, payload), files)
    return str(answer["attachment_id"])


def _form(client: GraphClient, kind: str, payload: dict[str, Any]) -> dict[str, str]:
    form = {"message": json.dumps({"attachment": {"type": kind, "payload": payload}})}
    if client.platform == Platform.INSTAGRAM:
        form["platform"] = "INSTAGRAM"
    return form


def _checked(path: Path, kind: str, platform: str) -> str:
    """The file's content type, when the file can be sent at all."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Choose the attachment again.")
    small = kind == "image" and platform == Platform.INSTAGRAM
    most = limit("ig_image_bytes" if small else "attachment_bytes")
    size = path.stat().st_size
    if size > most or size == 0:
        raise BadInput(
            f"{path.name} has {size / _MEGABYTE:.1f} MB; an attachment has more than 0 and at most {most // _MEGABYTE}.",
            "Make it smaller, or choose another file.",
        )
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind != "file" and not content_type.startswith(f"{kind}/"):
        raise BadInput(
            f"{path.name} is {content_type}, not {kind}: the platform refuses it.",
            "Convert it, mend its ending, or send it as a file.",
        )
    return content_type
