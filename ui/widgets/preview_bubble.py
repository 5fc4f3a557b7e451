"""A rendered message as the person would see it: bubble, image, buttons, cards, quick replies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import tr
from ui.widgets.clearing import clear
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import Icon, Text, divider


class PreviewBubble(QWidget):
    """``show_body`` takes the Graph ``message`` object; ``show_words`` says why there is nothing to see."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: object = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.space("s"))
        self.setAccessibleName(tr("Preview of the message"))

    @property
    def text(self) -> str:
        """Everything that can be read in it, line by line."""
        return "\n".join(label.text() for label in self.findChildren(QLabel))

    def show_words(self, words: str, tone: str = "muted") -> None:
        if self._already((words, tone)):
            return
        self._column.addWidget(Text(words, "muted", "" if tone == "muted" else tone))
        self.setAccessibleDescription(words)

    def show_body(self, body: Mapping[str, Any], template_text: str = "") -> None:
        """``template_text``: the filled text of an approved template, which the platform keeps."""
        if self._already((body, template_text)):
            return
        bubble = _Bubble()
        payload = _payload(body)
        if "text" in body:
            bubble.say(str(body["text"]))
        elif "template" in body:
            bubble.say(template_text or tr("Template “{name}”", name=body["template"]["name"]))
        elif payload.get("elements"):
            self._cards(payload["elements"])
        elif payload.get("text"):
            bubble.say(str(payload["text"]))
            bubble.buttons(payload.get("buttons", ()))
        elif payload.get("title"):
            bubble.say("\n".join(filter(None, (payload.get("title"), payload.get("subtitle")))))
            bubble.buttons([{"title": payload.get("button_title", "")}])
        elif "attachment" in body:
            bubble.media(str(body["attachment"].get("type", "")), payload)
        if not payload.get("elements"):
            self._column.addWidget(bubble)
        self._replies(body.get("quick_replies", ()))
        self.setAccessibleDescription(self.text)

    def _already(self, wanted: object) -> bool:
        """True where it is shown; else makes room for it. What is the same does not flicker."""
        if wanted == self._shown:
            return True
        self._shown = wanted
        clear(self._column)
        return False

    def _cards(self, elements: Iterable[Mapping[str, Any]]) -> None:
        for element in elements:
            card = _Bubble()
            if element.get("image_url"):
                card.media("image", {"url": element["image_url"]})
            card.say(str(element.get("title", "")), strong=True)
            if element.get("subtitle"):
                card.say(str(element["subtitle"]))
            card.buttons(element.get("buttons", ()))
            self._column.addWidget(card)

    def _replies(self, replies: Iterable[Mapping[str, Any]]) -> None:
        titles = [str(reply.get("title", "")) for reply in replies]
        if not titles:
            return
        holder = QWidget()
        flow = FlowLayout(holder, gap="s")
        for title in titles:
            reply = Text(title, "reply", wrap=False)
            flow.addWidget(reply)
        self._column.addWidget(holder)


def _payload(body: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = body.get("attachment", {}).get("payload", {})
    return payload if isinstance(payload, Mapping) else {}


class _Bubble(QFrame):
    """One speech bubble; sits at the leading edge with air behind it, as in a conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "bubble")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(*(theme.space("m"), theme.space("s")) * 2)
        self._column.setSpacing(theme.space("s"))

    def say(self, words: str, *, strong: bool = False) -> None:
        self._column.addWidget(Text(words, "strong" if strong else "body"))

    def buttons(self, buttons: Iterable[Mapping[str, Any]]) -> None:
        for each in buttons:
            self._column.addWidget(divider())
            label = Text(str(each.get("title", "")), "strong")
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setToolTip(str(each.get("url") or each.get("payload") or ""))
            self._column.addWidget(label)

    def media(self, kind: str, payload: Mapping[str, Any]) -> None:
        """A picture from this computer is shown; one from the web is named, not fetched."""
        where = str(payload.get("url") or payload.get("attachment_id") or "")
        picture = QPixmap(where) if kind == "image" and where and Path(where).is_file() else QPixmap()
        if not picture.isNull():
            label = QLabel()
            width = min(picture.width(), theme.size("field"))
            label.setPixmap(picture.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation))
            label.setAccessibleName(tr("Picture {file}", file=Path(where).name))
            self._column.addWidget(label)
            return
        names = {"image": tr("Picture"), "video": tr("Video"), "audio": tr("Audio"), "file": tr("File")}
        words = Text(f"{names.get(kind, kind)}: {where.rsplit('/', 1)[-1] or where}")
        words.setToolTip(where)
        line = QHBoxLayout()
        line.setSpacing(theme.space("s"))
        line.addWidget(Icon("image", "bubble_text"), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(words, 1)
        self._column.addLayout(line)
