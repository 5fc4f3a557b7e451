"""What is said: text with buttons and quick replies, a picture or file, cards, a template, or a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from broadcaster.content.limits import Limits, limits_for
from ui import theme
from ui.i18n import tr
from ui.pages.campaigns.message_parts import ButtonsEditor, CardsEditor, RepliesEditor, line_edit
from ui.pages.campaigns.message_text import TextPart
from ui.pages.campaigns.reading import template_body, template_parameters
from ui.widgets.buttons import row
from ui.widgets.clearing import clear
from ui.widgets.fields import Field
from ui.widgets.labels import Text

KINDS = ("text", "attachment", "cards", "template", "feedback")


def _column(*parts: QWidget) -> tuple[QWidget, QVBoxLayout]:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.space("s"))
    for part in parts:
        column.addWidget(part)
    return made, column


class AttachmentPart(QWidget):
    """A picture, video, audio or file: from the web, or from this computer (uploaded once when sent)."""

    changed = Signal()

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.kind = QComboBox()
        names = {"image": tr("Picture"), "audio": tr("Audio"), "video": tr("Video"), "file": tr("File")}
        for kind in limits.attachment_types:
            self.kind.addItem(names.get(kind, kind), kind)
        self.kind.setAccessibleName(tr("Kind of attachment"))
        self.kind.currentIndexChanged.connect(self.changed)
        self.where = line_edit(tr("Address of the attachment"), "", "https://…", self.changed)
        self._id: str | None = None
        self.where.textEdited.connect(self._forget_id)
        line = row(self.kind, self.where)
        line.setStretch(1, 1)
        self.setLayout(line)

    def _forget_id(self) -> None:
        self._id = None

    def show_value(self, value: Mapping[str, Any]) -> None:
        self.kind.setCurrentIndex(max(0, self.kind.findData(value.get("type", "image"))))
        self._id = value.get("attachment_id")
        self.where.setText(str(value.get("url") or self._id or ""))

    def value(self) -> dict[str, Any]:
        place = {"attachment_id": self._id} if self._id else {"url": self.where.text().strip()}
        return {"type": str(self.kind.currentData()), **place}


class TemplatePart(QWidget):
    """An approved utility template and the values of its parameters."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Any] = ()
        self._wanted: Mapping[str, Any] = {}
        self._edits: dict[str, QLineEdit] = {}
        self.choice = QComboBox()
        self.choice.currentIndexChanged.connect(self._chosen)
        self._body, self._note = Text("", "muted"), Text("", "small", "warn")
        self._parameters = QVBoxLayout()
        self._parameters.setSpacing(theme.space("s"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        column.addWidget(Field(tr("Template"), self.choice))
        column.addWidget(self._body)
        column.addWidget(self._note)
        column.addLayout(self._parameters)

    def use_templates(self, rows: Sequence[Any]) -> None:
        self._rows = rows
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItem(tr("Choose a template…"), None)
        for each in rows:
            self.choice.addItem(f"{each.name} · {each.language} · {each.status.value.lower()}", each.id)
        self.choice.blockSignals(False)
        self.show_value(self._wanted)

    def show_value(self, value: Mapping[str, Any]) -> None:
        self._wanted = value
        key = (value.get("name"), value.get("language"))
        found = next((each for each in self._rows if (each.name, each.language) == key), None)
        self.choice.blockSignals(True)
        self.choice.setCurrentIndex(self.choice.findData(found.id) if found else 0)
        self.choice.blockSignals(False)
        self._show(found)

    def value(self) -> dict[str, Any]:
        found = self._found()
        if found is None:
            return dict(self._wanted)
        values = {name: edit.text() for name, edit in self._edits.items()}
        numbered = found.parameter_format == "POSITIONAL"
        parameters: Any = list(values.values()) if numbered else values
        rest = {key: each for key, each in self._wanted.items() if key == "buttons"}
        return {"name": found.name, "language": found.language, "parameters": parameters, **rest}

    def _found(self) -> Any:
        return next((each for each in self._rows if each.id == self.choice.currentData()), None)

    def _chosen(self) -> None:
        found = self._found()
        self._wanted = {"name": found.name, "language": found.language} if found else {}
        self._show(found)
        self.changed.emit()

    def _show(self, found: Any) -> None:
        clear(self._parameters)
        self._edits = {}
        self._body.setText(
            template_body(found.components) if found else tr("Templates are kept under Settings.")
        )
        ready = found is None or found.status.value == "APPROVED"
        self._note.setText(
            "" if ready else tr("Meta has not approved this template: nobody gets it until then.")
        )
        self._note.setVisible(not ready)
        given = self._wanted.get("parameters", {})
        known = {str(n): each for n, each in enumerate(given, 1)} if isinstance(given, list) else given
        for name in template_parameters(found.components) if found else ():
            edit = line_edit(
                tr("Value of parameter {name}", name=name),
                str(known.get(name, "")),
                tr("words or {{field|fallback}}"),
                self.changed,
            )
            self._edits[name] = edit
            self._parameters.addWidget(Field(tr("Parameter {name}", name=name), edit))


class FeedbackPart(QWidget):
    """Meta's feedback form: a title, one question, and where the privacy policy stands."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[str, Any] = {}
        names = {
            "title": tr("Title"),
            "subtitle": tr("Subtitle"),
            "question": tr("Question"),
            "follow_up": tr("Follow-up question"),
            "button_title": tr("Words on the button"),
            "privacy_url": tr("Address of the privacy policy"),
        }
        self.edits = {key: line_edit(name, "", "", self.changed) for key, name in names.items()}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        for key, name in names.items():
            column.addWidget(Field(name, self.edits[key]))

    def show_value(self, value: Mapping[str, Any]) -> None:
        self._given = dict(value)
        for key, edit in self.edits.items():
            edit.setText(str(value.get(key, "")))

    def value(self) -> dict[str, Any]:
        entered = {key: edit.text().strip() for key, edit in self.edits.items()}
        rest = {key: each for key, each in self._given.items() if key not in self.edits}
        return {**rest, **{key: each for key, each in entered.items() if each}}


class MessageSection(QWidget):
    """``definition`` is the message of the campaign file; ``changed`` after every edit."""

    changed = Signal()

    def __init__(self, platform: str) -> None:
        super().__init__()
        self.limits = limits_for(platform)
        self.kind = QComboBox()
        self.kind.setAccessibleName(tr("Kind of message"))
        names = {
            "text": tr("Text"),
            "attachment": tr("Picture or file"),
            "cards": tr("Cards"),
            "template": tr("Approved template"),
            "feedback": tr("Feedback form"),
        }
        for key in KINDS:
            if (key != "template" or self.limits.templates) and (key != "feedback" or self.limits.feedback):
                self.kind.addItem(names[key], key)
        self.text, self.buttons = TextPart(), ButtonsEditor(self.limits)
        self.attachment, self.cards = AttachmentPart(self.limits), CardsEditor(self.limits)
        self.template, self.feedback = TemplatePart(), FeedbackPart()
        self.replies = RepliesEditor(self.limits)
        writing, _ = _column(self.text, self.buttons)
        self._pages: dict[str, QWidget] = {
            "text": writing,
            "attachment": self.attachment,
            "cards": self.cards,
            "template": self.template,
            "feedback": self.feedback,
        }
        self._stack = QVBoxLayout()
        for page in self._pages.values():
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("m"))
        column.addLayout(row(Text(tr("Kind of message"), wrap=False), self.kind, None))
        column.addLayout(self._stack)
        column.addWidget(self.replies)
        self.kind.currentIndexChanged.connect(self._kind_changed)
        for part in (self.text, self.buttons, self.attachment, self.cards, self.template, self.replies):
            part.changed.connect(self._edited)
        self.feedback.changed.connect(self._edited)
        self._kind_changed()

    @property
    def chosen_kind(self) -> str:
        return str(self.kind.currentData())

    def choose_kind(self, kind: str) -> None:
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))

    def show_definition(self, given: Mapping[str, Any]) -> None:
        self.choose_kind(next((key for key in KINDS[1:] if key in given), "text"))
        self.text.set_text(str(given.get("text", "")))
        self.buttons.show_values(given.get("buttons", ()))
        self.attachment.show_value(given.get("attachment", {}))
        self.cards.show_values(given.get("cards", ()))
        self.template.show_value(given.get("template", {}))
        self.feedback.show_value(given.get("feedback", {}))
        self.replies.show_values(given.get("quick_replies", ()))
        self._edited()

    def definition(self) -> dict[str, Any]:
        makers: dict[str, Callable[[], Any]] = {
            "attachment": self.attachment.value,
            "cards": self.cards.values,
            "template": self.template.value,
            "feedback": self.feedback.value,
        }
        kind = self.chosen_kind
        made: dict[str, Any] = {"text": self.text.text} if kind == "text" else {kind: makers[kind]()}
        buttons, replies = self.buttons.values(), self.replies.values()
        if kind == "text" and buttons:
            made["buttons"] = buttons
        if kind != "template" and replies:
            made["quick_replies"] = replies
        return made

    def _kind_changed(self) -> None:
        chosen = self.chosen_kind
        for key, page in self._pages.items():
            page.setVisible(key == chosen)
        self.replies.setVisible(chosen != "template")
        self._edited()

    def _edited(self) -> None:
        most = self.limits.button_text_characters if self.buttons.values() else self.limits.text_characters
        self.text.show_count(most, 0 if self.buttons.values() else self.limits.text_bytes)
        self.changed.emit()
