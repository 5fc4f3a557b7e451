"""Links that advertise: shop paths, campaign parameters, referral parameters, shorteners."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"']{3,500}|(?<![\w@])[a-z0-9-]{2,40}\.(?:com|net|org|shop|store|io|co|ly|me)/[^\s<>\"']{1,300}",
    re.I,
)
_SELLING = re.compile(
    r"(?:^|[/_\-.=])(?:sale|deals?|offers?|promo\w{0,9}|outlet|discount|coupon|voucher|new-?in|new-?arrivals|black-?friday|"
    r"soldes|rebajas|ofertas?|promoc\w{0,5}|angebote?|rabatt|sconti|saldi|diskon|khuyen-?mai|indirim|kampanya)(?:$|[/_\-.=?&])"
)
_NEUTRAL = re.compile(
    r"track|order|invoice|receipt|pay|manage|join|account|login|verify|booking|ticket|status|support|help|survey|rate"
)


@dataclass(frozen=True, slots=True)
class Link:
    start: int
    end: int
    url: str
    advertises: bool


def links(text: str) -> list[Link]:
    """Every link of a text, with whether its own words advertise."""
    return [_judge(found) for found in _LINK.finditer(text)]


def _judge(found: re.Match[str]) -> Link:
    url = found.group().rstrip(".,;:!?)")
    end = found.start() + len(url)
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        query = dict(parse_qsl(parts.query))
    except ValueError:
        return Link(found.start(), end, url, False)
    words = " ".join((parts.path, *query.values())).casefold()
    selling = bool(_SELLING.search(parts.path.casefold())) or any(
        _SELLING.search(f"/{value.casefold()}/")
        for key, value in query.items()
        if key.startswith("utm_") or key == "campaign"
    )
    referral = any(
        key in query for key in ("referral", "refer", "invite", "coupon", "promo", "discount", "voucher")
    )
    return Link(
        found.start(), end, url, (selling or referral) and not (_NEUTRAL.search(words) and not selling)
    )
