"""Money: an exact amount in a currency. Never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# Minor units that are not two digits (ISO 4217).
_MINOR_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies were put together."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} cannot be added; exchange one of them first")


class CurrencyUnknown(ValueError):
    """A currency is not a three-letter code."""

    def __init__(self, currency: object) -> None:
        super().__init__(f"{currency!r} is not a three-letter currency code (ISO 4217)")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency, unrounded until ``rounded()`` is called.

    >>> Money(Decimal("0.45"), "EUR") * Decimal("12.5")
    Money(amount=Decimal('5.625'), currency='EUR')
    >>> (Money(Decimal("0.45"), "EUR") * Decimal("12.5")).rounded().amount
    Decimal('5.63')
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            message = f"an amount is a Decimal, not {type(self.amount).__name__}"
            raise TypeError(message)
        if not self.amount.is_finite():
            message = f"an amount is a finite number, not {self.amount}"
            raise ValueError(message)
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise CurrencyUnknown(self.currency)

    def __add__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        if isinstance(factor, float):
            message = "money is multiplied by Decimal or int, never by a float"
            raise TypeError(message)
        return Money(self.amount * factor, self.currency)

    def rounded(self) -> Money:
        """Round half up to the currency's minor unit."""
        step = Decimal(1).scaleb(-minor_digits(self.currency))
        # Adding zero turns the negative zero of a rounded -0.004 into a plain one.
        return Money(self.amount.quantize(step, rounding=ROUND_HALF_UP) + 0, self.currency)

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)


def minor_digits(currency: str) -> int:
    """Return the number of decimals of a currency's minor unit (ISO 4217).

    >>> minor_digits("EUR"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    return next((digits for digits, codes in _MINOR_DIGITS.items() if currency in codes.split()), 2)
