"""The CPO's doors: versions, credentials, locations, tariffs, and a health check."""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emsp.sandbox.cpo import registration
from emsp.sandbox.cpo.pages import list_page, read_wish
from emsp.sandbox.cpo.protocol import (
    CLIENT_ERROR,
    INVALID_PARAMETERS,
    SERVER_ERROR,
    UNKNOWN_LOCATION,
    Party,
    Refused,
    addressed_party,
    answer,
    message_ids,
    presented_tokens,
    raw_answer,
    refusal,
    routing_headers,
)
from emsp.sandbox.cpo.registration import VERSION, Caller, Ourselves
from emsp.sandbox.cpo.store import Kind, Store

log = logging.getLogger(__name__)

Door = Callable[[Request], Awaitable[Response]]

VERSIONS_PATH = "/ocpi/versions"
DETAILS_PATH = f"/ocpi/{VERSION}"
CREDENTIALS_PATH = f"/ocpi/{VERSION}/credentials"
LOCATIONS_PATH = f"/ocpi/cpo/{VERSION}/locations"
TARIFFS_PATH = f"/ocpi/cpo/{VERSION}/tariffs"


@dataclass(frozen=True, slots=True)
class Doors:
    """The request handlers over one store."""

    store: Store
    ourselves: Ourselves
    public_url: str
    page_limit: int

    # Configuration modules: TOKEN_A is welcome, routing headers are not used.

    async def versions(self, request: Request) -> Response:
        """List the one version spoken here."""
        self._caller(request)
        return answer([{"version": VERSION, "url": self.public_url + DETAILS_PATH}])

    async def details(self, request: Request) -> Response:
        """List the modules."""
        self._caller(request)
        paths = {
            "credentials": CREDENTIALS_PATH,
            "locations": LOCATIONS_PATH,
            "tariffs": TARIFFS_PATH,
        }
        endpoints = [
            {"identifier": name, "role": "SENDER", "url": self.public_url + path}
            for name, path in paths.items()
        ]
        return answer({"version": VERSION, "endpoints": endpoints})

    async def credentials(self, request: Request) -> Response:
        """Show, make, renew or end a registration."""
        caller = self._caller(request)
        if request.method == "GET":
            return answer(self.ourselves.credentials(caller.token))
        if request.method == "DELETE":
            registration.unregister(self.store, self.ourselves, caller)
            return raw_answer(None)
        if request.method == "POST":
            body = await _read_json(request)
            made = await registration.register(self.store, self.ourselves, caller, body)
            return answer(made, http_status=201)
        body = await _read_json(request)
        return answer(await registration.renew(self.store, self.ourselves, caller, body))

    # Functional modules: for registered platforms, with routing headers.

    async def locations(self, request: Request) -> Response:
        """List locations, page by page."""
        return self._list(request, "location", LOCATIONS_PATH)

    async def tariffs(self, request: Request) -> Response:
        """List tariffs, page by page."""
        return self._list(request, "tariff", TARIFFS_PATH)

    async def location(self, request: Request) -> Response:
        """Give one location, one of its EVSEs, or one of the EVSE's connectors."""
        headers = self._route(request)
        segments = request.path_params
        body = self.store.body("location", segments["location_id"])
        if body is None:
            raise Refused(404, UNKNOWN_LOCATION, "no such location")
        if "evse_uid" not in segments:
            return raw_answer(body, headers=headers)
        found = _child(json.loads(body).get("evses"), "uid", segments["evse_uid"])
        if "connector_id" in segments:
            found = _child(found.get("connectors"), "id", segments["connector_id"])
        return answer(found, headers=headers)

    async def health(self, request: Request) -> Response:
        """Say that the process lives and what it serves."""
        return JSONResponse(
            {
                "status": "ok",
                "locations": self.store.count("location"),
                "tariffs": self.store.count("tariff"),
                "registered": len(self.store.registrations()),
            }
        )

    def _list(self, request: Request, kind: Kind, path: str) -> Response:
        headers = self._route(request)
        wish = read_wish(request.query_params, page_limit=self.page_limit)
        return list_page(
            self.store,
            kind,
            wish,
            list_url=self.public_url + path,
            page_limit=self.page_limit,
            headers=headers,
        )

    def _caller(self, request: Request) -> Caller:
        tokens = presented_tokens(request.headers.get("Authorization"))
        caller = registration.identify(self.store, tokens)
        if caller is None:
            spent = any(self.store.is_spent(token) for token in tokens)
            reason = (
                "TOKEN_A is used up" if spent else "the credentials token is missing or unknown"
            )
            raise Refused(401, CLIENT_ERROR, reason)
        return caller

    def _route(self, request: Request) -> dict[str, str]:
        """Admit a registered platform and give the routing headers of the answer."""
        registered = self._caller(request).registration
        if registered is None:
            raise Refused(401, CLIENT_ERROR, "TOKEN_A opens versions and credentials only")
        asked = addressed_party(request.headers, "to")
        ours = next(iter(self.ourselves.roles))
        if asked is not None:
            hosted = next((party for party in self.ourselves.roles if party.matches(asked)), None)
            if hosted is None:
                sentence = f"no party {asked.country_code}/{asked.party_id} on this platform"
                raise Refused(200, INVALID_PARAMETERS, sentence)
            ours = hosted
        sender: Party | None = addressed_party(request.headers, "from")
        return routing_headers(to=sender or registered.first_party(), sender=ours)


def make_app(doors: Doors) -> Starlette:
    """Put the doors into a Starlette application; each path also answers with a trailing slash."""
    paths: list[tuple[str, Door, list[str]]] = [
        ("/healthz", doors.health, ["GET"]),
        (VERSIONS_PATH, doors.versions, ["GET"]),
        (DETAILS_PATH, doors.details, ["GET"]),
        (CREDENTIALS_PATH, doors.credentials, ["GET", "POST", "PUT", "DELETE"]),
        (LOCATIONS_PATH, doors.locations, ["GET"]),
        (TARIFFS_PATH, doors.tariffs, ["GET"]),
        (LOCATIONS_PATH + "/{location_id}", doors.location, ["GET"]),
        (LOCATIONS_PATH + "/{location_id}/{evse_uid}", doors.location, ["GET"]),
        (LOCATIONS_PATH + "/{location_id}/{evse_uid}/{connector_id}", doors.location, ["GET"]),
    ]
    routes = [
        Route(path + slash, _with_ids(door), methods=methods)
        for path, door, methods in paths
        for slash in ("", "/")
    ]
    handlers = {HTTPException: _no_such_door, Exception: _broken_door}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


def _with_ids(door: Door) -> Door:
    """Echo the message ids on success and refusal alike."""

    async def answer_with_ids(request: Request) -> Response:
        try:
            response = await door(request)
        except Refused as refused:
            response = refusal(refused)
        response.headers.update(message_ids(request))
        return response

    return answer_with_ids


async def _no_such_door(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = refusal(Refused(error.status_code, CLIENT_ERROR, error.detail), error.headers)
    response.headers.update(message_ids(request))
    return response


async def _broken_door(request: Request, error: Exception) -> Response:
    # The server's own log is off: without this line the fault would go unnoticed.
    log.error("the sandbox CPO failed at %s", request.url.path, exc_info=error)
    response = refusal(Refused(500, SERVER_ERROR, "the sandbox CPO failed: see its stderr"))
    response.headers.update(message_ids(request))
    return response


async def _read_json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise Refused(400, INVALID_PARAMETERS, "the body is no valid JSON") from error


def _child(children: Any, key: str, wanted: str) -> dict[str, Any]:
    for child in children or ():
        if str(child.get(key)).lower() == wanted.lower():
            return dict(child)
    raise Refused(404, UNKNOWN_LOCATION, f"no such {'EVSE' if key == 'uid' else 'connector'}")
