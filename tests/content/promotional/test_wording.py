"""The wording: what its weights are asked, and that every word's share in a verdict can be told."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.content.promotional import default_checker
from broadcaster.content.promotional.fitting import shipped as purposes
from broadcaster.content.promotional.wording import (
    UNIT,
    Voice,
    counted,
    features,
    parse,
    shipped,
    tokens,
    words_of,
)

SMALL = """message\tmessage de\tclause\tclause de\tpurpose order\tpurpose news
-1.0\t0.0\t-0.5\t0.0\t0.2\t0.1
lamp\t0:40 1:20 2:10
~_la\t0:4
your lamp\t0:-20
parcel\t0:-30 4:50
=emoji\t0:10 5:60
"""


@pytest.fixture
def voice() -> Voice:
    return parse(SMALL).voice("en")


def test_numbers_are_one_word_and_signs_are_kept() -> None:
    assert [token.word for token in tokens("save 20%, café 3")] == ["save", "0", "%", ",", "café", "0"]
    assert features("20") == ("20",)
    assert set(features("ab")) == {"ab", "~_ab", "~ab_", "~_ab_"}


def test_a_pair_belongs_to_its_second_word_and_counts_once() -> None:
    found = tokens("your lamp your lamp")
    assert dict(words_of(found)) == {"your": 0, "lamp": 1, "your lamp": 1, "lamp your": 2}
    assert counted(found)["lamp"] == 1


def test_the_score_is_the_bias_and_the_shares_of_the_words(voice: Voice) -> None:
    scored = voice.message(tokens("your lamp"), ())
    known = 3  # lamp, its piece, the pair
    assert scored.shares == (0.0, pytest.approx((40 + 4 - 20) * UNIT / math.sqrt(known)))
    assert scored.score == pytest.approx(-1.0 + sum(scored.shares))
    assert voice.message(tokens("your lamp"), ["emoji"]).score == pytest.approx(scored.score + 10 * UNIT)


def test_a_languages_own_weights_count_in_that_language_only() -> None:
    wording = parse(SMALL)
    here, there = (wording.voice(lang).message(tokens("lamp"), ()).score for lang in ("de", "en"))
    assert here == pytest.approx(there + 20 * UNIT / math.sqrt(2))


def test_what_a_text_is_about(voice: Voice) -> None:
    likely = voice.purposes(tokens("the parcel"), ())
    assert likely["order"] > 0.9
    assert sum(likely.values()) == pytest.approx(1.0)
    assert voice.purposes(tokens("hm"), ["emoji"])["news"] > 0.9


def test_unknown_words_say_nothing(voice: Voice) -> None:
    assert voice.message(tokens("zzz qqq"), ()).score == -1.0
    assert voice.clause([]).score == -0.5


@given(st.text(max_size=200))
def test_shares_of_the_shipped_weights_add_up(text: str) -> None:
    found = tokens(text.lower())
    scored = shipped().voice("en").message(found, ())
    assert len(scored.shares) == len(found)
    assert scored.score == pytest.approx(shipped().bias["message"] + sum(scored.shares))


def test_the_shipped_weights_know_every_language_and_purpose() -> None:
    columns = set(shipped().columns)
    assert {
        f"{kind} {lang}" for kind in ("message", "clause") for lang in "de en es fr id it pt tr vi".split()
    } <= columns
    assert {f"purpose {name}" for name in purposes().words} <= columns


@pytest.mark.parametrize(
    "text",
    [
        "20% off everything today",
        "Heute 20 % Rabatt auf alles",
        "Hoy 20 % de descuento en toda la tienda",
        "Aujourd'hui 20 % de remise sur tout le magasin",
        "Oggi 20% di sconto su tutto",
        "Hoje 20% de desconto em toda a loja",
        "Hari ini diskon 20% untuk semua barang",
        "Hôm nay giảm giá 20% toàn bộ cửa hàng",
        "Bugün tüm ürünlerde %20 indirim",
    ],
)
def test_a_plain_offer_is_found_in_every_language(text: str) -> None:
    assert default_checker().check_text(text, "utility").promotional


@pytest.mark.parametrize(
    "text",
    [
        "Your order 5512 was shipped and arrives on Thursday.",
        "Ihre Bestellung 5512 wurde verschickt und kommt am Donnerstag.",
        "Tu pedido 5512 fue enviado y llega el jueves.",
        "Votre commande 5512 a été expédiée et arrive jeudi.",
        "Il tuo ordine 5512 è stato spedito e arriva giovedì.",
        "Seu pedido 5512 foi enviado e chega na quinta-feira.",
        "Pesanan 5512 Anda sudah dikirim dan tiba hari Kamis.",
        "Đơn hàng 5512 của bạn đã được gửi đi và sẽ đến vào thứ Năm.",
        "5512 numaralı siparişiniz kargoya verildi, perşembe günü teslim edilecek.",
    ],
)
def test_a_plain_notice_is_left_alone_in_every_language(text: str) -> None:
    found = default_checker().check_text(text, "post_purchase_update")
    assert not found.promotional
    assert found.fits_permission


@pytest.mark.parametrize("way", ["utility", "human_agent", "customer_feedback", "news"])
def test_a_plain_offer_is_one_under_every_way_to_send(way: str) -> None:
    assert default_checker().check_text("Hello, 20% off today", way).promotional


def test_a_way_to_send_leans_a_verdict_that_no_phrase_settles() -> None:
    text = "Your ride with Ana is over. Please rate it from one to five stars."
    as_feedback = default_checker().read([("text", text)], leaning=purposes().leaning["customer_feedback"])
    anywhere = default_checker().read([("text", text)])
    assert as_feedback.reads == pytest.approx(anywhere.reads - purposes().leaning["customer_feedback"])
    assert not default_checker().check_text(text, "customer_feedback").promotional
