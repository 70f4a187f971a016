"""The widget in a page as a visitor uses it, and everything that went wrong around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import ARGUMENTS, CHROMIUM

BUILT = Path(__file__).parents[2] / "adapters" / "botkit_adapters" / "web" / "static" / "widget.js"
PATIENCE = 15_000
"""Milliseconds: with two processors and a model, a page may be slow."""

# Names under .test lead to this machine too, and are no secure context: no Web Locks, no clipboard.
NAMES = "--host-resolver-rules=MAP *.test 127.0.0.1"

WATCH = """
addEventListener('securitypolicyviolation', (event) =>
    window.botkitTestViolated?.(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""


def skip_without_widget() -> None:
    """Skip the calling module where the script was not built."""
    if not BUILT.is_file():
        pytest.skip("the widget was not built: see adapters/widget", allow_module_level=True)


@dataclass
class Seen:
    """What happened in a page beside what was meant to.

    Fields:
        faults: Exceptions, errors in the console, dialogs and violated policies.
        warnings: Warnings in the console.
        hosts: Host and port of everything that was asked for.
        urls: Everything that was asked for.
    """

    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    urls: list[str] = field(default_factory=list)

    async def watch(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on("console", self._read)
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("dialog", self._dialog)
        page.on("popup", lambda popup: self.faults.append(f"window: {popup.url}"))
        await page.expose_function(
            "botkitTestViolated", lambda text: self.faults.append(f"policy: {text}")
        )
        await page.add_init_script(WATCH)

    def _read(self, line: Any) -> None:
        if line.type == "error":
            self.faults.append(f"console: {line.text}")
        elif line.type == "warning":
            self.warnings.append(line.text)

    def _asked(self, url: str) -> None:
        self.urls.append(url)
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about"):
            self.hosts.add(parts.netloc or url)

    async def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


class Widget:
    """One `<botkit-chat>`.

    Args:
        page: A page that embeds it.
        seen: What goes wrong in that page.
        element: Which of the page's elements it is.
    """

    def __init__(self, page: Any, seen: Seen, element: str = "botkit-chat") -> None:
        self.page = page
        self.seen = seen
        self.root = page.locator(element)

    def part(self, name: str, **options: Any) -> Any:
        """The elements that play a part; those in a shadow root have no other steady name."""
        return self.root.locator(f"[data-part={name}]", **options)

    @property
    def launcher(self) -> Any:
        return self.part("launcher")

    @property
    def panel(self) -> Any:
        return self.part("panel")

    @property
    def field(self) -> Any:
        return self.part("composer")

    @property
    def replies(self) -> Any:
        return self.root.locator("[data-part=message][data-role=assistant]")

    @property
    def questions(self) -> Any:
        return self.root.locator("[data-part=message][data-role=user]")

    def body(self, number: int = -1) -> Any:
        """What a reply says."""
        return self.replies.nth(number).locator("[data-part=body]")

    async def open(self) -> None:
        await self.launcher.click()
        await self.field.wait_for()

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def idle(self, within: float = PATIENCE) -> None:
        """Wait until nothing is written or waited for."""
        await self.page.wait_for_function(
            """(element) => {
                const root = document.querySelector(element)?.shadowRoot;
                const there = (css) => [...(root?.querySelectorAll(css) ?? [])]
                    .some((each) => each.checkVisibility());
                return root && !there('[aria-busy=true]') && !there('[data-part=stop]')
                    && !there('[data-part=status]');
            }""",
            arg=await self._selector(),
            timeout=within,
        )

    async def answered(self, count: int, within: float = PATIENCE) -> None:
        """Wait until there are so many replies, all of them finished."""
        await self.replies.nth(count - 1).wait_for(timeout=within)
        await self.idle(within)

    async def shadow(self, script: str, argument: Any = None) -> Any:
        """What a function of the shadow root and ``argument`` answers."""
        return await self.root.evaluate(
            f"(element, argument) => ({script})(element.shadowRoot, argument)", argument
        )

    async def _selector(self) -> str:
        floating = await self.root.first.get_attribute("floating")
        return "botkit-chat" if floating is None else "botkit-chat[floating]"


@dataclass
class Browser:
    """Headless Chromium; each visitor is a context of their own."""

    chromium: Any
    contexts: list[Any] = field(default_factory=list)

    async def visitor(self, **context: Any) -> Any:
        """Somebody with an empty browser."""
        made = await self.chromium.new_context(**context)
        made.set_default_timeout(PATIENCE)
        self.contexts.append(made)
        return made

    async def leave(self) -> None:
        """Close what visitors have open."""
        for context in self.contexts:
            await context.close()

    async def visit(self, url: str, visitor: Any = None, **context: Any) -> Widget:
        """Open a page."""
        visitor = visitor or await self.visitor(**context)
        page = await visitor.new_page()
        seen = Seen()
        await seen.watch(page)
        await page.goto(url)
        return Widget(page, seen)


@asynccontextmanager
async def browsing(*arguments: str) -> AsyncIterator[Browser]:
    """A browser, until the block ends."""
    from playwright.async_api import async_playwright

    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(async_playwright())
        chromium = await driver.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, NAMES, *arguments]
        )
        stack.push_async_callback(chromium.close)
        yield Browser(chromium)


async def eventually(
    condition: Callable[[], Awaitable[bool]], page: Any, within: float = PATIENCE
) -> None:
    """Return when ``condition`` holds; for what neither the page nor a server signals."""
    left = within
    while not await condition():
        assert left > 0, "it did not come true in time"
        await page.wait_for_timeout(25)
        left -= 25
