"""What every JSON address of ours shares: a guarded parser and one shape of error.

An error is ``{"code", "detail", "field"?, "suggestions"?, "details"?}``: ``code`` is stable for
machines, ``detail`` a sentence for people that says what to do, ``field`` the input at fault.
"""

from __future__ import annotations

import json
import math
from typing import IO, TYPE_CHECKING, Any, NoReturn

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.exceptions import APIException
from rest_framework.parsers import JSONParser
from rest_framework.response import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rest_framework.request import Request

MAX_BODY_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 40


class Refusal(APIException):
    """A request is refused with a sentence; see the module for the fields."""

    status_code = 400
    default_code = "refused"

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        field: str = "",
        suggestions: Sequence[str] = (),
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.field = field
        self.suggestions = list(suggestions)
        self.details = dict(details or {})


class JsonMalformed(Refusal):
    """A body is not the JSON that we accept."""


class BodyTooLarge(Refusal):
    """A body is larger than we read."""

    status_code = 413

    def __init__(self) -> None:
        message = _("The body is larger than %(limit)s bytes. Send less.")
        super().__init__(message % {"limit": MAX_BODY_BYTES}, code="body_too_large")


class BoundedJSONParser(JSONParser):
    """Reads at most 1 MB of strict UTF-8 JSON.

    Refused: NaN and infinities, numbers of absurd length, nesting beyond any honest use, NUL
    characters and lone surrogates inside strings (PostgreSQL stores neither). A name that comes
    twice is tolerated: the last one counts.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        return read_json(body)


def read_json(body: bytes) -> Any:
    """Parse a body under the rules of ``BoundedJSONParser``.

    Raises
    ------
    JsonMalformed
        The message says what is wrong and where.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = _("The body is not valid UTF-8 (byte %(at)s). Encode it as UTF-8.") % {
            "at": error.start
        }
        raise JsonMalformed(message, code="malformed_json") from None
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except json.JSONDecodeError as error:
        message = _("The body is not valid JSON: %(problem)s (line %(line)s, column %(column)s).")
        figures = {"problem": error.msg, "line": error.lineno, "column": error.colno}
        raise JsonMalformed(message % figures, code="malformed_json") from None
    except RecursionError:
        _refuse_depth()
    _check_strings_and_depth(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    message = _("The body holds %(name)s, which is not JSON. Send a number.") % {"name": name}
    raise JsonMalformed(message, code="malformed_json")


def _read_float(text: str) -> float:
    number = float(text) if len(text) <= MAX_NUMBER_LENGTH else math.inf
    return number if math.isfinite(number) else _refuse_number(text)


def _read_int(text: str) -> int:
    return int(text) if len(text) <= MAX_NUMBER_LENGTH else _refuse_number(text)


def _refuse_number(text: str) -> NoReturn:
    message = _("The body holds the number %(number)s, which is too large or too long.") % {
        "number": text if len(text) <= MAX_NUMBER_LENGTH else f"{text[:12]}…"
    }
    raise JsonMalformed(message, code="malformed_json")


def _refuse_depth() -> NoReturn:
    message = _("The body is nested deeper than %(limit)s levels.") % {"limit": MAX_DEPTH}
    raise JsonMalformed(message, code="malformed_json")


def _check_strings_and_depth(value: Any) -> None:
    """Walk without recursion: the depth is the sender's choice."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, str):
            _check_string(node)
        elif isinstance(node, dict | list):
            if depth >= MAX_DEPTH:
                _refuse_depth()
            children: Iterable[Any] = node
            if isinstance(node, dict):
                for name in node:
                    _check_string(name)
                children = node.values()
            waiting += ((child, depth + 1) for child in children)


def _check_string(text: str) -> None:
    if "\x00" in text:
        message = _("The body holds a NUL character (\\u0000). Remove it.")
        raise JsonMalformed(message, code="malformed_json")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        message = _("The body holds half of a surrogate pair (like \\ud800). Remove it.")
        raise JsonMalformed(message, code="malformed_json")


def explain_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every refusal in one shape; what we did not foresee stays a 500 (and a log)."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound(_("There is nothing at this address."))
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied(_("You may not do this."))
    elif isinstance(exc, RequestDataTooBig):
        # Django's own bound, where the body was read before the parser came to it.
        exc = BodyTooLarge()
    if not isinstance(exc, APIException):
        return None
    headers = {}
    if wait_s := getattr(exc, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait_s))
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    data = _describe(exc, context.get("request"))
    return Response(data, status=exc.status_code, headers=headers)


class ErrorSerializer(serializers.Serializer[Any]):
    """The shape of every error, for the API's schema."""

    code = serializers.CharField(help_text="Stable, for machines.")
    detail = serializers.CharField(help_text="A sentence: what is wrong and what to do.")
    field = serializers.CharField(required=False, help_text="The input at fault.")
    suggestions = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Inputs that would have worked."
    )
    details = serializers.DictField(required=False, help_text="Figures behind the sentence.")


def _describe(exc: APIException, request: Request | None) -> dict[str, object]:
    if isinstance(exc, Refusal):
        found: dict[str, object] = {"code": exc.get_codes(), "detail": str(exc.detail)}
        found |= {"field": exc.field} if exc.field else {}
        found |= {"suggestions": exc.suggestions} if exc.suggestions else {}
        return found | ({"details": exc.details} if exc.details else {})
    if isinstance(exc, exceptions.ValidationError):
        return _describe_invalid(exc)
    if isinstance(exc, exceptions.UnsupportedMediaType):
        detail = _("Send the body as application/json.")
        return {"code": "unsupported_media_type", "detail": detail}
    if isinstance(exc, exceptions.MethodNotAllowed):
        method = request.method if request is not None else ""
        detail = _("%(method)s is not possible at this address.") % {"method": method}
        return {"code": "method_not_allowed", "detail": detail}
    if isinstance(exc, exceptions.NotAcceptable):
        detail = _("We answer in application/json only.")
        return {"code": "not_acceptable", "detail": detail}
    if isinstance(exc, exceptions.Throttled):
        wait_s = math.ceil(getattr(exc, "wait", None) or 1)
        detail = _("Too many requests. Try again in %(seconds)s s.") % {"seconds": wait_s}
        return {"code": "throttled", "detail": detail, "details": {"retry_after_s": wait_s}}
    code = exc.get_codes()
    return {"code": code if isinstance(code, str) else "error", "detail": str(exc.detail)}


def _describe_invalid(exc: exceptions.ValidationError) -> dict[str, object]:
    """Tell the first field at fault in the sentence, and all of them in ``details``."""
    problems = list(_flatten("", exc.detail))
    name, code, sentence = problems[0]
    found: dict[str, object] = {
        "code": "missing" if code in {"required", "null", "blank"} else code,
        "detail": f"{name}: {sentence}" if name and name not in sentence else sentence,
    }
    found |= {"field": name} if name else {}
    if len(problems) > 1:
        found["details"] = {field or "body": problem for field, _code, problem in problems}
    return found


def _flatten(name: str, detail: Any) -> Iterable[tuple[str, str, str]]:
    """Yield (dotted field, code, sentence) of a validation error, however it is nested."""
    if isinstance(detail, dict):
        for key, part in detail.items():
            own = "" if key == "non_field_errors" else str(key)
            yield from _flatten(".".join(filter(None, (name, own))), part)
    elif isinstance(detail, list):
        for part in detail:
            yield from _flatten(name, part)
    else:
        yield name, getattr(detail, "code", "invalid"), str(detail)
