"""Run the application in this very process, so that its death leaves nothing listening."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette

from emsp.sandbox.cpo.statuses import StatusLife

READY_WITHIN_S = 10.0
LOOK_EVERY_S = 0.02


class AddressUnusable(Exception):
    """Nothing can listen at this host and port."""


def check_address(host: str, port: int) -> None:
    """Make sure nobody listens there: granian would quietly share the port with another granian.

    Raises: AddressUnusable.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        msg = f"cannot listen on {host} port {port}: {error.strerror}"
        raise AddressUnusable(msg) from error


async def serve(
    app: Starlette,
    *,
    host: str,
    port: int,
    life: StatusLife | None,
    when_ready: Callable[[], Awaitable[None]],
) -> None:
    """Serve until SIGTERM or SIGINT, letting the statuses live meanwhile.

    Raises: AddressUnusable when the server does not come up.
    """
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    serving = asyncio.create_task(server.serve())
    await _until_up(serving, host, port)
    await when_ready()
    if life is None:
        await serving
        return
    living = asyncio.create_task(life.live())
    # A broken status loop ends the process with its error: it must not go unnoticed.
    await asyncio.wait({serving, living}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    await serving
    living.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await living


async def _until_up(serving: asyncio.Task[None], host: str, port: int) -> None:
    """Wait until the socket accepts connections."""
    near = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
    while asyncio.get_running_loop().time() < deadline and not serving.done():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(near, port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(LOOK_EVERY_S)
    if serving.done() and serving.exception():
        msg = f"the server on {host} port {port} did not start: {serving.exception()}"
        raise AddressUnusable(msg)
    if not serving.done():
        msg = f"the server on {host} port {port} did not answer within {READY_WITHIN_S:.0f} s"
        raise AddressUnusable(msg)
