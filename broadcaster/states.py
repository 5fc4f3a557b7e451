"""Every state and reason the product knows, and the moves between states that are legal.

The names are stored in the database and stand in files and JSON: they never change meaning.
"""

from __future__ import annotations

from enum import StrEnum


class Platform(StrEnum):
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"


class PageState(StrEnum):
    """May this Page send? Anything but READY stops every campaign of the Page."""

    READY = "ready"
    TOKEN_INVALID = "token_invalid"
    RESTRICTED = "restricted"
    PERMISSION_MISSING = "permission_missing"
    RATE_LIMITED = "rate_limited"
    DISCONNECTED = "disconnected"


class FeatureState(StrEnum):
    """What is known of a feature of the Page or app (health check, or set by hand)."""

    GRANTED = "granted"
    MISSING = "missing"
    UNKNOWN = "unknown"


class InteractionKind(StrEnum):
    """Something a person did or that happened to their thread. Only some open a window."""

    MESSAGE = "message"
    POSTBACK = "postback"
    REFERRAL = "referral"
    REACTION = "reaction"
    PLUGIN_MESSAGE = "plugin_message"
    AD_MESSAGE = "ad_message"
    IMPORT = "import"
    """A time of the last opening action taken from a file: the kind of action is not known."""
    OPT_IN = "opt_in"
    COMMENT = "comment"


WINDOW_OPENERS = frozenset(
    {
        InteractionKind.MESSAGE,
        InteractionKind.POSTBACK,
        InteractionKind.REFERRAL,
        InteractionKind.REACTION,
        InteractionKind.PLUGIN_MESSAGE,
        InteractionKind.AD_MESSAGE,
        InteractionKind.IMPORT,
    }
)
"""Interactions that open the standard window (Meta, Send a Message; 5 May 2026)."""


class Source(StrEnum):
    """Where a fact about a person came from."""

    WEBHOOK = "webhook"
    SYNC = "sync"
    IMPORT = "import"
    HAND = "hand"
    SENDER = "sender"


class AttributeType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"


class AudienceKind(StrEnum):
    DYNAMIC = "dynamic"
    FROZEN = "frozen"
    STATIC = "static"


class CampaignState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    MISSED = "missed"
    """Its time passed while nothing could start it; a person decides: send now, move, cancel."""
    FINISHED = "finished"
    CANCELLED = "cancelled"


CAMPAIGN_MOVES: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.SUBMITTED, CampaignState.CANCELLED}),
    CampaignState.SUBMITTED: frozenset(
        {CampaignState.DRAFT, CampaignState.APPROVED, CampaignState.CANCELLED}
    ),
    CampaignState.APPROVED: frozenset(
        {CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.CANCELLED}
    ),
    CampaignState.SCHEDULED: frozenset(
        {
            CampaignState.DRAFT,
            CampaignState.APPROVED,
            CampaignState.RUNNING,
            CampaignState.PAUSED,
            CampaignState.MISSED,
            CampaignState.CANCELLED,
        }
    ),
    CampaignState.MISSED: frozenset(
        {CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.DRAFT, CampaignState.CANCELLED}
    ),
    CampaignState.RUNNING: frozenset({CampaignState.PAUSED, CampaignState.FINISHED, CampaignState.CANCELLED}),
    CampaignState.PAUSED: frozenset(
        {
            CampaignState.RUNNING,
            CampaignState.SCHEDULED,
            CampaignState.FINISHED,
            CampaignState.CANCELLED,
        }
    ),
    CampaignState.FINISHED: frozenset(),
    CampaignState.CANCELLED: frozenset(),
}


class PauseCause(StrEnum):
    """Why a campaign stands still; the sentence for people is in ``campaign.pause_text``."""

    HAND = "hand"
    PAGE = "page"
    CONTENT = "content"
    CANARY = "canary"
    DRIFT = "drift"
    CHANGED = "changed"


class DeliveryState(StrEnum):
    """State of one person's message in one campaign (a row of the ledger).

    ``leased`` is claimed and surely not on the wire; ``sending`` may be on the wire.
    ``unconfirmed``: it may or may not have been accepted; never retried blindly.
    """

    WAITING = "waiting"
    LEASED = "leased"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNCONFIRMED = "unconfirmed"
    CANCELLED = "cancelled"


ACCEPTED_STATES = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ})
"""The platform took the message: counted as ``sent``."""

OPEN_STATES = frozenset(
    {
        DeliveryState.WAITING,
        DeliveryState.LEASED,
        DeliveryState.SENDING,
        DeliveryState.UNCONFIRMED,
    }
)
"""Still to be sent or still to be resolved."""

DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.WAITING: frozenset(
        {
            DeliveryState.LEASED,
            DeliveryState.SKIPPED,
            DeliveryState.CANCELLED,
            DeliveryState.SENT,
            DeliveryState.DELIVERED,
            DeliveryState.READ,
        }
    ),
    DeliveryState.LEASED: frozenset(
        {
            DeliveryState.WAITING,
            DeliveryState.SENDING,
            DeliveryState.SKIPPED,
            DeliveryState.CANCELLED,
            DeliveryState.FAILED,
            DeliveryState.SENT,
            DeliveryState.DELIVERED,
            DeliveryState.READ,
        }
    ),
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.WAITING,
            DeliveryState.SENT,
            DeliveryState.DELIVERED,
            DeliveryState.READ,
            DeliveryState.FAILED,
            DeliveryState.UNCONFIRMED,
        }
    ),
    DeliveryState.UNCONFIRMED: frozenset(
        {
            DeliveryState.WAITING,
            DeliveryState.SENT,
            DeliveryState.DELIVERED,
            DeliveryState.READ,
            DeliveryState.FAILED,
        }
    ),
    DeliveryState.FAILED: frozenset({DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ}),
    DeliveryState.SENT: frozenset({DeliveryState.DELIVERED, DeliveryState.READ}),
    DeliveryState.DELIVERED: frozenset({DeliveryState.READ}),
    DeliveryState.READ: frozenset(),
    DeliveryState.SKIPPED: frozenset(),
    DeliveryState.CANCELLED: frozenset(),
}
"""Legal moves. A late receipt may lift ``failed`` and ``unconfirmed``; receipts never move down.

``waiting``/``leased`` → ``sent`` happens when an echo proves an earlier attempt went through;
``leased`` → ``failed`` when a message cannot be rendered."""


class Reason(StrEnum):
    """Why a person is not reached: keys of ``reasons`` in JSON and of the blocked report."""

    OPTED_OUT = "opted_out"
    UNREACHABLE = "unreachable"
    EXCLUDED = "excluded"
    PERMISSION_NOT_ON_PLATFORM = "permission_not_on_platform"
    PERMISSION_RETIRED = "permission_retired"
    PERMISSION_NOT_GRANTED = "permission_not_granted"
    NEVER_INTERACTED = "never_interacted"
    INTERACTION_IN_FUTURE = "interaction_in_future"
    OUTSIDE_24H = "outside_24h"
    OUTSIDE_7D = "outside_7d"
    TEMPLATE_NOT_APPROVED = "template_not_approved"
    MISSING_VALUE = "missing_value"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"
    DUPLICATE = "duplicate"
    REPLIED = "replied"
    """Taken out by the reply brake: they wrote between planning and their turn."""


class LatePolicy(StrEnum):
    """What happens when a campaign's time passed while nothing could start it."""

    ASK = "ask"
    SEND = "send"
    SKIP = "skip"


class TemplateStatus(StrEnum):
    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    DELETED = "DELETED"
    OTHER = "OTHER"
