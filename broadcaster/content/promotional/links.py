"""Links that advertise: shops, campaign parameters, referral parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'\u2026]{3,500}"
    r"|(?<![\w@.-])[a-z0-9-]{2,40}(?:\.[a-z0-9-]{2,30}){0,3}\.(?:com|net|org|shop|store|io|co|ly|me|app|example|in|vn|id|de|fr|it|es|br|tr)(?:/[^\s<>\"']{0,300})?(?![\w@])",
    re.I,
)
_MAYBE = re.compile(r"://|www\.|\.\w", re.I)
"""Stands in every link, and is found sooner."""
_SELLING = frozenset(
    "sale sales deal deals offer offers promo promos promotion promotions outlet discount discounts coupon coupons voucher "
    "vouchers clearance newin arrivals newarrivals blackfriday cybermonday flashsale giveaway lottery winback upsell upgrade referral "
    "soldes promos bonsplans rebajas oferta ofertas promocion promociones descuento descuentos cupon cupones promocao promocoes desconto descontos "
    "liquidacao liquidacion angebot angebote rabatt rabatte aktion aktionen gutschein gutscheine sconti sconto saldi offerta offerte "
    "promozione promozioni diskon obral khuyenmai giamgia uudai indirim indirimler kampanya kampanyalar firsat firsatlar newsletter "
    "abandoned cart-recovery bestsellers".split()
)
_SHOPS = frozenset(
    "shop store boutique tienda loja negozio magaza toko cuahang shopping collection collections kollektion coleccion "
    "colecao collezione koleksiyon koleksi catalog catalogue catalogo katalog produkte products product produits produit producto "
    "productos produto produtos prodotti prodotto urun urunler produk sanpham new neu nuevo novedades nouveautes novita "
    "novidades buy comprar kaufen acheter satinal mua beli checkout cart basket".split()
)
_NEUTRAL = frozenset(
    "track tracking order orders orderstatus invoice invoices receipt receipts pay payment payments manage join account accounts "
    "login verify booking bookings ticket tickets status support help survey feedback appointment appointments shipment shipping delivery "
    "return returns refund reset password portal my profile reschedule confirm confirmation reservation checkin boarding redelivery t r "
    "seguimiento pedido pedidos envio envios factura cuenta rastreio rastreamento fatura conta suivi commande colis facture compte sendung sendungen "
    "bestellung bestellungen rechnung konto termin tracciamento spedizione spedizioni ordine ordini fattura lacak pesanan akun tagihan "
    "tracuu donhang taikhoan hoadon takip siparis siparislerim fatura hesap randevu cita rendezvous appuntamento".split()
)
_REFERRAL = frozenset(
    "referral refer invite coupon promo discount voucher aff affiliate aff_id promocode discount_code".split()
)
_CAMPAIGN = frozenset(
    "utm_campaign utm_medium utm_content utm_term campaign campaignid cmp mc_cid gclid".split()
)
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Link:
    """``weight`` 1: it advertises. ``neutral``: it leads to an order, an account, a booking."""

    start: int
    end: int
    url: str
    weight: float
    neutral: bool


def links(text: str) -> list[Link]:
    """Every link of a text, with whether its own words advertise."""
    if not _MAYBE.search(text):
        return []
    return [_judge(found) for found in _LINK.finditer(text)]


def _judge(found: re.Match[str]) -> Link:
    url = found.group().rstrip(".,;:!?)")
    end = found.start() + len(url)
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, query = (parts.hostname or "").casefold(), dict(parse_qsl(parts.query.casefold()))
    except ValueError:
        return Link(found.start(), end, url, 0.0, False)
    path = _words(parts.path)
    neutral = bool(path & _NEUTRAL)
    weight = _weight(host, path, neutral, query)
    return Link(found.start(), end, url, weight, neutral and not weight)


def _weight(host: str, path: frozenset[str], neutral: bool, query: Mapping[str, str]) -> float:
    campaign = [_words(value) for name, value in query.items() if name in _CAMPAIGN]
    if path & _SELLING or any(words & _SELLING for words in campaign) or query.keys() & _REFERRAL:
        return 1.0
    if neutral:
        return 0.0
    if campaign and not any(words & _NEUTRAL for words in campaign):
        return 1.0
    shop_host = host.startswith(("shop.", "store.", "tienda.", "loja.", "boutique.", "deals.", "toko."))
    return 1.0 if path & _SHOPS or shop_host else 0.0


def _words(path: str) -> frozenset[str]:
    """Words of a path, and its pieces written together: ``/new-arrivals`` holds ``newarrivals``."""
    pieces = path.casefold().split("/")
    return frozenset(_WORD.findall(path.casefold())) | {"".join(_WORD.findall(piece)) for piece in pieces}
