"""Money: exact, in one currency, rounded half up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emsp.kernel.money import CurrencyMismatch, CurrencyUnknown, Money, minor_digits

CENTS = st.integers(min_value=-(10**12), max_value=10**12).map(lambda n: Decimal(n).scaleb(-6))


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


class TestMoney:
    def test_adds_and_subtracts_exactly(self) -> None:
        assert eur("0.1") + eur("0.2") == eur("0.3")
        assert eur("0.3") - eur("0.1") == eur("0.2")
        assert eur("1") - eur("2.50") == eur("-1.50")

    def test_is_multiplied_by_whole_and_decimal_numbers_only(self) -> None:
        assert eur("0.45") * Decimal("12.5") == eur("5.625")
        assert eur("0.45") * 3 == eur("1.35")
        with pytest.raises(TypeError, match="never by a float"):
            eur("0.45") * 1.1  # type: ignore[operator]

    @pytest.mark.parametrize(
        ("amount", "currency", "rounded"),
        [
            ("5.625", "EUR", "5.63"),
            ("5.6249999", "EUR", "5.62"),
            ("-5.625", "EUR", "-5.63"),
            ("0.5", "JPY", "1"),
            ("1.0005", "KWD", "1.001"),
            ("2", "EUR", "2.00"),
            ("-0.004", "EUR", "0.00"),
        ],
    )
    def test_rounds_half_up_to_the_minor_unit(
        self, amount: str, currency: str, rounded: str
    ) -> None:
        result = Money(Decimal(amount), currency).rounded()
        assert str(result.amount) == rounded
        assert result.currency == currency

    def test_of_two_currencies_is_not_added(self) -> None:
        with pytest.raises(CurrencyMismatch, match="EUR and CHF cannot be added"):
            eur("1") + Money(Decimal(1), "CHF")
        with pytest.raises(CurrencyMismatch, match="EUR and CHF"):
            eur("1") - Money(Decimal(1), "CHF")

    @pytest.mark.parametrize("amount", [1.5, 1, "1", None])
    def test_is_a_decimal(self, amount: object) -> None:
        with pytest.raises(TypeError, match="an amount is a Decimal"):
            Money(amount, "EUR")  # type: ignore[arg-type]

    @pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
    def test_is_finite(self, amount: str) -> None:
        with pytest.raises(ValueError, match="an amount is a finite number"):
            Money(Decimal(amount), "EUR")

    @pytest.mark.parametrize("currency", ["eur", "EURO", "EU", "", "E1R", "ÈUR", "EUR\n"])
    def test_knows_three_letter_codes_only(self, currency: str) -> None:
        with pytest.raises(CurrencyUnknown, match="is not a three-letter currency code"):
            Money(Decimal(1), currency)

    @given(CENTS, CENTS)
    def test_comes_back_when_what_was_added_is_taken_away(self, a: Decimal, b: Decimal) -> None:
        money = Money(a, "EUR")
        assert money + Money(b, "EUR") - Money(b, "EUR") == money

    @given(CENTS)
    def test_moves_by_half_a_cent_at_most_when_rounded(self, a: Decimal) -> None:
        assert abs(Money(a, "EUR").rounded().amount - a) <= Decimal("0.005")

    @given(CENTS)
    def test_stays_as_it_is_when_rounded_twice(self, a: Decimal) -> None:
        once = Money(a, "EUR").rounded()
        assert once.rounded() == once


class TestMinorDigits:
    def test_are_two_unless_the_currency_says_otherwise(self) -> None:
        digits = {code: minor_digits(code) for code in ("EUR", "SEK", "HUF", "ISK", "JPY", "KWD")}
        assert digits == {"EUR": 2, "SEK": 2, "HUF": 2, "ISK": 0, "JPY": 0, "KWD": 3}
