"""OCPI's DateTime: what is read generously and written strictly."""

from datetime import UTC, datetime

MICROSECONDS = 1_000_000


class NotAMoment(ValueError):
    """The text is no OCPI DateTime."""


def parse_moment(text: str) -> datetime:
    """Read an OCPI DateTime; a missing zone means UTC, `+00:00` and a lost plus sign are tolerated.

    Raises: NotAMoment.
    Source: OCPI 2.2.1, types, DateTime.

    >>> parse_moment("2026-01-02T03:04:05")
    datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    >>> parse_moment("2026-01-02T03:04:05.5 00:00") == parse_moment("2026-01-02T03:04:05.500Z")
    True
    """
    # A plus sign in a query is a space once decoded.
    try:
        moment = datetime.fromisoformat(text.strip().replace(" 00:00", "+00:00"))
    except ValueError as error:
        msg = f"'{text}' is no OCPI DateTime"
        raise NotAMoment(msg) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def format_moment(moment: datetime) -> str:
    """Write an aware moment as an OCPI DateTime in UTC, milliseconds only where there are some.

    >>> format_moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    >>> format_moment(datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC))
    '2026-01-02T03:04:05.120Z'
    """
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def epoch_us(moment: datetime) -> int:
    """Say how many microseconds lie between 1970 and an aware moment."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds
