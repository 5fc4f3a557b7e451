"""What an audience can be built from: fields with their kinds, and the operators each kind takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from broadcaster.states import AttributeType, InteractionKind
from ui.i18n import tr


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """A field of the filter. ``kind``: text, number, date, time, yes_no, label, audience,
    random, interaction, campaign."""

    key: str
    title: str
    kind: str
    options: tuple[str, ...] = ()
    """Values found in the data, for completion and choice lists."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All fields of one Page, in the order they are offered."""

    fields: tuple[FieldChoice, ...] = field(default_factory=tuple)

    def get(self, key: str) -> FieldChoice:
        """The field; one that is unknown (a deleted attribute) is still shown, as text."""
        return next((f for f in self.fields if f.key == key), FieldChoice(key, key, _kind_of_unknown(key)))


def _kind_of_unknown(key: str) -> str:
    return "campaign" if key.startswith("campaign.") else "text"


def vocabulary(
    attributes: Mapping[str, str],
    labels: Sequence[str] = (),
    campaigns: Sequence[str] = (),
    audiences: Sequence[str] = (),
    values: Mapping[str, Sequence[str]] | None = None,
) -> Vocabulary:
    """``attributes``: name → AttributeType; ``values``: field → values found in the data."""
    found = values or {}
    known = [
        FieldChoice("last_interaction_at", tr("Last action that opened the window"), "time"),
        FieldChoice("last_message_at", tr("Last message they wrote"), "time"),
        FieldChoice("label", tr("Label"), "label", tuple(labels)),
        FieldChoice("first_name", tr("First name"), "text"),
        FieldChoice("last_name", tr("Last name"), "text"),
        FieldChoice("locale", tr("Language"), "text", tuple(found.get("locale", ()))),
        FieldChoice("timezone", tr("Time zone"), "text", tuple(found.get("timezone", ()))),
        FieldChoice("opted_out", tr("Opted out"), "yes_no"),
        FieldChoice("unreachable", tr("Unreachable"), "yes_no"),
        FieldChoice("entry_ref", tr("Where they came from (ref)"), "text", tuple(found.get("entry_ref", ()))),
        FieldChoice("created_at", tr("Known since"), "time"),
        FieldChoice("psid", tr("Id (PSID)"), "text"),
        FieldChoice("audience", tr("Saved audience"), "audience", tuple(audiences)),
        FieldChoice("random", tr("Random share"), "random"),
    ]
    own = [
        FieldChoice(f"attribute.{name}", name, _kind(kind), tuple(found.get(f"attribute.{name}", ())))
        for name, kind in attributes.items()
    ]
    done = [
        FieldChoice(f"interaction.{kind}", tr("Did: {what}", what=word), "interaction")
        for kind, word in _interactions().items()
    ]
    past = [
        FieldChoice(f"campaign.{name}", tr("Campaign: {name}", name=name), "campaign") for name in campaigns
    ]
    return Vocabulary((*known, *own, *done, *past))


def _interactions() -> dict[str, str]:
    return {
        InteractionKind.MESSAGE: tr("wrote a message"),
        InteractionKind.POSTBACK: tr("pressed a button"),
        InteractionKind.REFERRAL: tr("followed a link into the chat"),
        InteractionKind.REACTION: tr("reacted to a message"),
        InteractionKind.AD_MESSAGE: tr("wrote after an ad"),
        InteractionKind.OPT_IN: tr("opted in"),
        InteractionKind.COMMENT: tr("commented"),
    }


def _kind(attribute_type: str) -> str:
    return {
        AttributeType.NUMBER: "number",
        AttributeType.DATE: "date",
        AttributeType.YES_NO: "yes_no",
    }.get(AttributeType(attribute_type), "text")


def operators(kind: str) -> dict[str, str]:
    """Operator → words, in the order they are offered."""
    is_set = {"is_set": tr("is known"), "is_not_set": tr("is not known")}
    same = {"eq": tr("is"), "ne": tr("is not")}
    several = {"in": tr("is one of"), "not_in": tr("is none of")}
    spans = {"within_last": tr("within the last"), "older_than": tr("longer ago than")}
    around = {"before": tr("before"), "after": tr("after")}
    return {
        "text": {**same, "contains": tr("contains"), "starts_with": tr("starts with"), **several, **is_set},
        "number": {
            **same,
            "gt": tr("more than"),
            "gte": tr("at least"),
            "lt": tr("less than"),
            "lte": tr("at most"),
            **is_set,
        },
        "date": {**around, **spans, "eq": tr("is"), **is_set},
        "time": {**spans, **around, **is_set},
        "yes_no": {"eq": tr("is")},
        "label": {
            "has_label": tr("has"),
            "ne": tr("has not"),
            **several,
            "is_not_set": tr("has none at all"),
        },
        "audience": {"eq": tr("are in"), "ne": tr("are not in")},
        "random": {"lt": tr("a share of"), "gte": tr("all but a share of")},
        "interaction": {
            "within_last": tr("within the last"),
            "older_than": tr("last time longer ago than"),
            "is_set": tr("at any time"),
            "is_not_set": tr("never"),
        },
        "campaign": {"was": tr("was")},
    }[kind]


def campaign_outcomes() -> dict[str, str]:
    return {
        "sent": tr("sent"),
        "delivered": tr("delivered"),
        "read": tr("read"),
        "replied": tr("replied to"),
        "failed": tr("failed"),
        "not_sent": tr("not sent"),
    }
