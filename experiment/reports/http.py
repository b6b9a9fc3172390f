"""What the pages need of HTTP: headers that keep everything private, limits, and how it is served."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from datetime import date
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request

from experiment.errors import BadInput, EquipmentFailure

MAX_BODY_BYTES, MAX_FIELDS, BODY_S = 16_384, 100, 10.0
MINUTE_S = 60.0
MAX_NAMES = 10_000  # those that have been quiet for a minute are forgotten when there are more
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}


class RateLimit:
    """How often something may happen: so many `times` a minute for each name."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._seen: dict[str, deque[float]] = {}

    def allows(self, name: str) -> bool:
        """Whether it may happen once more now; it counts if so."""
        now_s = time.monotonic()
        if len(self._seen) > MAX_NAMES:
            self._seen = {one: seen for one, seen in self._seen.items() if seen and seen[-1] > now_s - MINUTE_S}
        seen = self._seen.setdefault(name, deque())
        while seen and seen[0] <= now_s - MINUTE_S:
            seen.popleft()
        if len(seen) >= self._times:
            return False
        seen.append(now_s)
        return True


def way_up(request: Request) -> str:
    """The way from the request's address to the root of the pages, wherever a proxy puts it."""
    depth = request.url.path.removeprefix(request.scope.get("root_path", "")).count("/") - 1
    return "../" * depth or "./"


def read_day(request: Request) -> date:
    """The date in the address; HTTPException 404 if it is none."""
    try:
        return date.fromisoformat(request.path_params["day"])
    except ValueError:
        raise HTTPException(404) from None


async def read_fields(request: Request) -> dict[str, str]:
    """What a form sent; HTTPException if it is too large, too slow or no form."""

    async def body() -> bytes:
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                raise HTTPException(413)
        return content

    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    try:
        content = await asyncio.wait_for(body(), BODY_S)
        return dict(parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except asyncio.TimeoutError:
        raise HTTPException(408) from None
    except ValueError:
        raise HTTPException(400) from None


def listen(host: str, port: int, *, behind_proxy: bool) -> socket.socket:
    """What hears requests from now on; BadInput for an address that other computers can reach, unless TLS is in front.

    EquipmentFailure if the address or the port cannot be used.
    """
    if not behind_proxy and host not in {"127.0.0.1", "::1", "localhost"}:
        raise BadInput(
            f"{host} can be reached from other computers, and without TLS the answers can be read on the network. Use "
            "a web server with TLS in front and add --behind-proxy, or leave out --host."
        )
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise EquipmentFailure(
            f"{host}, port {port}, cannot be used: {why}. If the pages are served already, there is nothing to do. "
            "Otherwise choose another --port."
        ) from error


def web_server(app: Starlette, *, behind_proxy: bool) -> uvicorn.Server:
    """What serves the pages: no log of addresses; `behind_proxy`: a web server in front names the clients."""
    return uvicorn.Server(uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, headers=[*HEADERS.items()], ws="none", http="h11",
        proxy_headers=behind_proxy, forwarded_allow_ips="*" if behind_proxy else None, limit_concurrency=500,
        timeout_keep_alive=15, timeout_graceful_shutdown=5,
    ))  # fmt: skip
