"""Links that let people open a conversation: m.me with a ref, its QR code, and which one brought whom."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import segno
from sqlalchemy import Connection, func, select

from broadcaster.errors import BadInput, EnvironmentFault
from broadcaster.store.tables import Interaction

INTERACTIONS = Interaction.__table__  # type: ignore[attr-defined]

MAX_REF = 2083
"""Characters of ``ref`` (Meta, m.me links)."""
_REF = re.compile(r"[A-Za-z0-9_=-]+")


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """``people`` who came by it, ``openings``: how often it opened a window."""

    ref: str
    people: int
    openings: int


def m_me_link(page_graph_id: str, ref: str = "") -> str:
    """The link of a Page; with ``ref`` the entry point comes back in the referral. Raises BadInput."""
    if not ref:
        return f"https://m.me/{page_graph_id}"
    if len(ref) > MAX_REF:
        raise BadInput(f"The ref has {len(ref)} characters; {MAX_REF} are allowed.", "Shorten it.")
    if not _REF.fullmatch(ref):
        wrong = sorted(set(re.sub(r"[A-Za-z0-9_=-]", "", ref)))
        raise BadInput(
            f"The ref {ref!r} has characters that a link cannot carry: {', '.join(map(_named, wrong))}.",
            "Use letters, digits, - _ and =.",
        )
    return f"https://m.me/{page_graph_id}?ref={ref}"


def _named(sign: str) -> str:
    """As it can be seen in a sentence."""
    return "a space" if sign == " " else sign if sign.isprintable() else repr(sign)


def qr_svg(link: str) -> str:
    """The QR code as an SVG document."""
    out = io.BytesIO()
    segno.make(link, error="m").save(out, kind="svg", scale=8, border=4, light="#fff")
    return out.getvalue().decode()


def qr_png(link: str) -> bytes:
    """The QR code as a PNG picture."""
    out = io.BytesIO()
    segno.make(link, error="m").save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def save_qr(link: str, path: Path) -> None:
    """The QR code as SVG where the file's name says so, else as PNG. Raises EnvironmentFault."""
    content = qr_svg(link).encode() if path.suffix.lower() == ".svg" else qr_png(link)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be written: {error.strerror}.", "Choose another folder."
        ) from error


def entry_points(conn: Connection, page_id: int) -> list[EntryPoint]:
    """Which links and ads brought people, most people first."""
    ref = func.coalesce(INTERACTIONS.c.ref, INTERACTIONS.c.ad_id)
    people = func.count(INTERACTIONS.c.contact_id.distinct())
    query = (
        select(ref, people, func.count())
        .where(INTERACTIONS.c.page_id == page_id, ref.is_not(None))
        .group_by(ref)
        .order_by(people.desc(), ref)
    )
    return [EntryPoint(*row) for row in conn.execute(query)]
