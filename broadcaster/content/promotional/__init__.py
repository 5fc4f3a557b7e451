"""Promotional findings: which words sell, why that matters, what to do; and whether a text fits its way to send.

A text is normalised with a map back to what was typed, cut into clauses, and each clause is judged by
itself: mixed content is promotional (Meta). Lexicons are data in ``resources/promotional/``.
"""

from broadcaster.content.promotional.checker import PromotionalChecker, default_checker
from broadcaster.content.promotional.findings import Finding, Severity, TextCheck
from broadcaster.content.promotional.permissions import permission_key

__all__ = ["Finding", "PromotionalChecker", "Severity", "TextCheck", "default_checker", "permission_key"]
