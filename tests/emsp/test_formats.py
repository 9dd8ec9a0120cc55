"""Quantities as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from emsp.kernel import formats
from emsp.kernel.money import Money


class TestFormatMoney:
    @pytest.mark.parametrize(
        ("language", "currency", "text"),
        [
            ("en", "EUR", "€1,234.57"),
            ("nl", "EUR", "€ 1.234,57"),
            ("de", "EUR", "1.234,57 €"),
            ("fr", "GBP", "1 234,57 £"),
            ("en", "SEK", "SEK 1,234.57"),
            ("de", "SEK", "1.234,57 SEK"),
            ("en", "JPY", "JPY 1,235"),
        ],
    )
    def test_follows_the_language_and_the_currency(
        self, language: str, currency: str, text: str
    ) -> None:
        with translation.override(language):
            written = formats.format_money(Money(Decimal("1234.565"), currency))
        assert " ".join(written.split()) == text


class TestFormatQuantity:
    @pytest.mark.parametrize(
        ("distance_m", "text"),
        [
            (0, "0 km"),
            (4, "0 m"),
            (854, "850 m"),
            (994, "990 m"),
            (999, "1.0 km"),
            (9_949, "9.9 km"),
            (9_950, "10 km"),
            (1_050_499, "1,050 km"),
        ],
    )
    def test_writes_distances_no_finer_than_they_are_known(
        self, distance_m: float, text: str
    ) -> None:
        assert formats.format_distance(distance_m).replace("\xa0", " ") == text

    @pytest.mark.parametrize(
        ("duration_s", "text"),
        [(0, "0 min"), (3_569, "59 min"), (3_570, "1 h 00"), (36_900, "10 h 15")],
    )
    def test_writes_hours_only_from_one_on(self, duration_s: float, text: str) -> None:
        assert formats.format_duration(duration_s).replace("\xa0", " ") == text

    def test_rounds_halves_up_instead_of_cutting(self) -> None:
        assert formats.format_percent(0.695) == "70\xa0%"
        assert formats.format_energy(41.25) == "41.3\xa0kWh"
        assert formats.format_power(3.68) == "3.7\xa0kW"
        assert formats.format_power(22.08) == "22\xa0kW"
