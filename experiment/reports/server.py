"""The pages over HTTP: one secret link a participant, no cookie, no account; asking for a page changes nothing.

Every answer is on the disk before it is thanked for. Nothing is logged but what fails, without addresses or answers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from experiment.errors import DayFourError
from experiment.reports import replies
from experiment.reports.http import RateLimit, read_day, read_fields, way_up
from experiment.reports.links import own_calendar
from experiment.reports.log import LogLine
from experiment.reports.replies import Asker, Reply
from experiment.reports.service import Batches, Service
from experiment.reports.words import direction
from experiment.storage.html import fill_template

HERE = Path(__file__).parent
STATIC = {"page.css": "text/css", "page.js": "text/javascript"}
PER_LINK, PER_STRANGER = 60, 30  # requests a minute: of one link, and without a valid link from one address
TABLE_AFTER_S, TABLE_EVERY_S = 1.0, 600.0  # the table is made anew after a sending, and as reports go missing
Decide = Callable[[Asker, tuple[LogLine, ...]], Reply]
Endpoint = Callable[["Request"], Awaitable["Response"]]


def build_app(service: Service, tell: Callable[[str], None], per_link: int = PER_LINK) -> Starlette:
    """The pages of a service that has begun. `tell`: hears of what fails. `per_link`: its requests a minute."""
    site = Site(service, tell, per_link)
    link = "/r/{token}"
    return Starlette(
        routes=[
            Route("/s/{name}", site.static),
            Route(link, site.guarded(site.home)),
            Route(f"{link}/calendar.ics", site.guarded(site.calendar)),
            Route(f"{link}/practice", site.guarded(site.practice), methods=["GET", "POST"]),
            Route(f"{link}/{{day}}", site.guarded(site.report), methods=["GET", "POST"]),
            Route(f"{link}/{{day}}/received", site.guarded(site.received)),
        ],
        exception_handlers={HTTPException: site.refused},
        lifespan=site.lifespan,
    )


class Site:
    """The endpoints."""

    def __init__(self, service: Service, tell: Callable[[str], None], per_link: int) -> None:
        self._service, self._tell = service, tell
        self._links, self._strangers = RateLimit(per_link), RateLimit(PER_STRANGER)
        self._has_news = asyncio.Event()
        self._batches = Batches(service.journal, self._has_news.set)

    async def home(self, request: Request) -> Response:
        """What is open."""
        return await self._read(request, replies.home)

    async def report(self, request: Request) -> Response:
        """The form of a day, or what was sent with it."""
        day = read_day(request)
        if request.method != "POST":
            name = secrets.token_urlsafe(12)
            is_read = request.method == "GET"
            return await self._write(request, lambda who, told: replies.show(who, told, day, name, is_read=is_read))
        form = replies.read_form(self._service.daily, await read_fields(request))
        return await self._write(request, lambda who, entries: replies.send(who, entries, day, form))

    async def received(self, request: Request) -> Response:
        """That a report is there."""
        day = read_day(request)
        return await self._read(request, lambda who, entries: replies.received(who, entries, day))

    async def practice(self, request: Request) -> Response:
        """A form to try."""
        is_sent = request.method == "POST"
        form = replies.read_form(self._service.daily, await read_fields(request)) if is_sent else None
        return await self._read(request, lambda who, _: replies.practice(who, form))

    async def calendar(self, request: Request) -> Response:
        """The participant's reminders, for the calendar of their phone."""
        link = str(request.url).removesuffix("/calendar.ics")
        return await self._read(request, lambda who, _: Reply(file=own_calendar(who, link)))

    async def static(self, request: Request) -> Response:
        """Style and script."""
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404)
        return FileResponse(HERE / name, media_type=STATIC[name])

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, whose failures are told to the lab in words, and to the participant as something passing."""

        async def answered(request: Request) -> Response:
            try:
                return await endpoint(request)
            except HTTPException:
                raise
            except DayFourError as error:
                self._tell(str(error))
            except Exception as error:  # noqa: BLE001 - its text or its frames could hold answers
                self._tell(f"A page failed: {type(error).__name__}.")
            return self._failed(request, 503)

        return answered

    async def refused(self, request: Request, error: Exception) -> Response:
        """No such page, no valid link, too much or too often."""
        return self._failed(request, getattr(error, "status_code", 500))

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """While the server runs, the table follows the log."""
        task = asyncio.create_task(self._keep_table())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self._update_table()

    async def _keep_table(self) -> None:
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._has_news.wait(), TABLE_EVERY_S)
                await asyncio.sleep(TABLE_AFTER_S)
            self._has_news.clear()
            await asyncio.to_thread(self._update_table)

    def _update_table(self) -> None:
        try:
            self._service.update_table()
        except DayFourError as error:
            self._tell(f"The reports are recorded, but their table is behind: {error}")

    async def _read(self, request: Request, decide: Decide) -> Response:
        entries = await asyncio.to_thread(self._service.journal.entries)
        return self._respond(request, await asyncio.to_thread(self._decide, request, entries, decide))

    async def _write(self, request: Request, decide: Decide) -> Response:
        page = await self._batches.decide(lambda entries: self._decide(request, entries, decide))
        return self._respond(request, page)

    def _decide(self, request: Request, entries: tuple[LogLine, ...], decide: Decide) -> Reply:
        """What is decided for whoever has the link; HTTPException if it is not valid, or used too often."""
        token = request.path_params["token"]
        asker = self._service.asker_with(token, entries)
        if asker is None:
            stranger = request.client.host if request.client else ""
            raise HTTPException(404 if self._strangers.allows(stranger) else 429)
        if not self._links.allows(asker.one.subject):
            raise HTTPException(429)
        return decide(asker, entries)

    def _respond(self, request: Request, page: Reply) -> Response:
        if page.file is not None:
            named = {"Content-Disposition": 'attachment; filename="reminders.ics"'}
            return Response(page.file, media_type="text/calendar", headers=named)
        if page.location is not None:
            way = "/".join(filter(None, (way_up(request) + f"r/{request.path_params['token']}", page.location)))
            return RedirectResponse(way, page.status)
        return HTMLResponse(self._rendered(request, page), page.status)

    def _failed(self, request: Request, status: int) -> Response:
        words = self._service.daily.wording
        text = words.unknown_link if status in {404, 405} else words.busy
        page = Reply("message", status, {"text": text})
        headers = {"Retry-After": "60"} if status in {429, 503} else None
        return HTMLResponse(self._rendered(request, page), status, headers)

    def _rendered(self, request: Request, page: Reply) -> str:
        daily = self._service.daily
        link = f"{way_up(request)}r/{request.path_params['token']}" if "token" in request.path_params else None
        values: dict[str, Any] = {"coming": None, **page.values}
        return fill_template(
            HERE / "page.html.jinja", {}, page=page.name, words=daily.wording, language=daily.language or "en",
            direction=direction(daily), root=way_up(request), link=link, **values,
        )  # fmt: skip
