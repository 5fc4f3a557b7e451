"""The tables, one module per aggregate. Storage only: values are validated at the edges, not here."""

from sqlmodel import SQLModel

from broadcaster.store.tables.audience import Audience, AudienceMember
from broadcaster.store.tables.audit import AuditEntry, FindingVerdict
from broadcaster.store.tables.campaign import BlockedRecipient, Campaign, TestSend
from broadcaster.store.tables.contact import (
    AttributeDefinition,
    Contact,
    ContactAttributes,
    ContactLabel,
    Interaction,
    Label,
    OptRecord,
)
from broadcaster.store.tables.delivery import Delivery, EarlyReceipt, ReceiptMark
from broadcaster.store.tables.importing import ImportChange, ImportRun
from broadcaster.store.tables.page import Page, Template
from broadcaster.store.tables.system import Lease, PolicyPack, Setting
from broadcaster.store.tables.webhook import WebhookEvent

metadata = SQLModel.metadata

__all__ = [
    "AttributeDefinition",
    "Audience",
    "AudienceMember",
    "AuditEntry",
    "BlockedRecipient",
    "Campaign",
    "Contact",
    "ContactAttributes",
    "ContactLabel",
    "Delivery",
    "EarlyReceipt",
    "FindingVerdict",
    "ImportChange",
    "ImportRun",
    "Interaction",
    "Label",
    "Lease",
    "OptRecord",
    "Page",
    "PolicyPack",
    "ReceiptMark",
    "Setting",
    "Template",
    "TestSend",
    "WebhookEvent",
    "metadata",
]
