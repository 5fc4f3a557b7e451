"""Broadcaster's core: broadcasts on Messenger and Instagram, decided, sent and proven. Knows no Qt."""

__version__ = "0.1.0"
