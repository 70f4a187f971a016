"""The widget on somebody else's site, answered by the real default model."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from browser import skip_without_browser
from local_model import LocalServer, environment, local_home, serving_local
from widget_page import Browser, Widget, eventually, skip_without_widget
from widget_site import Site, embedding, strict_policy

skip_without_browser()
skip_without_widget()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 60_000  # milliseconds: a shape that was not compiled yet may have to be
STORY = "Tell me a very long story about a lighthouse, its keeper and the sea."


@dataclass
class Host:
    """A site with the widget, and the server that answers."""

    site: Site
    server: LocalServer
    database: str

    @property
    def origin(self) -> str:
        return self.site.origin("localhost")

    def requests(self, outcome: str) -> int:
        """How many requests to the model ended so."""
        with urllib.request.urlopen(f"{self.server.url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        pattern = rf'^botkit_model_requests_total\{{[^}}]*outcome="{outcome}"[^}}]*\}} ([\d.e+]+)$'
        return sum(int(float(value)) for value in re.findall(pattern, text, re.MULTILINE))

    def kept(self, *command: str) -> str:
        """What a command of botkit prints about the server's database."""
        done = subprocess.run(
            [sys.executable, "-m", "botkit", *command],
            env=environment(self.server.home, BOTKIT_DATABASE_URL=self.database),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout


@pytest_asyncio.fixture(loop_scope="module")
async def host(shop: Site, tmp_path: Path) -> AsyncIterator[Host]:
    home = local_home()
    database = f"sqlite:///{tmp_path / 'widget.db'}"
    variables = {
        "BOTKIT_WEB_ORIGINS": shop.origin("localhost"),
        "BOTKIT_DATABASE_URL": database,
        "BOTKIT_WEB_RATE": "off",
        "BOTKIT_WEB_SESSION_RATE": "off",
        "BOTKIT_WEB_FILE_BYTES": "100000",
    }
    with serving_local(home, tmp_path / "log", **variables) as server:
        shop.add(
            "/",
            embedding(server.url, title="Lighthouse shop"),
            Content_Security_Policy=strict_policy(server.url),
        )
        yield Host(shop, server, database)


@pytest_asyncio.fixture(loop_scope="module")
async def widget(chromium: Browser, host: Host) -> AsyncIterator[Widget]:
    """The shop in a browser. At the end nobody else was asked, and nothing went wrong."""
    found = await chromium.visit(f"{host.origin}/")
    yield found
    assert found.seen.faults == []
    assert found.seen.warnings == []
    assert found.seen.hosts == {
        host.origin.removeprefix("http://"),
        host.server.url.removeprefix("http://"),
    }


def picture(width: int = 240, height: int = 120) -> bytes:
    """A PNG: a sunset."""
    rows = b"".join(
        b"\0" + bytes((255 - y, 120 + x // 4, 2 * y)[c] for x in range(width) for c in range(3))
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + packed + chunk(b"IEND", b"")


async def grows(widget: Widget) -> str:
    """What the reply says once it was seen to grow three times."""
    texts: list[str] = []

    async def thrice() -> bool:
        text = await widget.body().inner_text()
        if text and (not texts or text != texts[-1]):
            texts.append(text)
        return len(texts) > 3

    await eventually(thrice, widget.page, PATIENCE)
    assert all(later.startswith(sooner[:-1]) for sooner, later in pairwise(texts))
    return texts[-1]


@pytest.mark.timeout(400)
async def test_a_visitor_of_another_site(host: Host, widget: Widget) -> None:
    expect = playwright.expect
    await expect(widget.launcher).to_be_visible()
    await widget.open()
    await widget.answered(1)

    # Ask, and watch it being written.
    await widget.say("What is the capital of France?")
    await widget.answered(2, PATIENCE)
    await expect(widget.body()).to_contain_text("Paris")
    await widget.say(STORY)
    await widget.replies.nth(2).wait_for(timeout=PATIENCE)
    await grows(widget)

    # Stop: it ends where it was, and so does the model.
    broken_off = host.requests("cancelled")
    await widget.part("stop").click()
    await widget.idle()
    stopped = await widget.body().inner_text()
    await expect(widget.part("stopped").last).to_be_visible()

    async def broken() -> bool:
        return host.requests("cancelled") == broken_off + 1

    await eventually(broken, widget.page)
    assert await widget.body().inner_text() == stopped
    assert len(stopped) > 10

    # Ask again: another answer to the same question, in the place of the first.
    asked = host.requests("ok")
    first = await widget.replies.last.get_attribute("data-id")
    await widget.part("retry").last.click()
    await expect(widget.root.locator(f"[data-id={first}]")).to_have_count(0)
    await widget.replies.nth(2).wait_for(timeout=PATIENCE)
    assert await widget.questions.count() == 2

    # Reload while it is being written: the very same text goes on, of the same generation.
    before = await grows(widget)
    await widget.page.reload()
    await widget.open()
    await widget.replies.nth(2).wait_for(timeout=PATIENCE)
    assert (await widget.body().inner_text()).startswith(before[:-1])
    assert host.requests("ok") == asked
    await expect(widget.part("stop")).to_be_visible()
    await widget.answered(3, PATIENCE)
    assert host.requests("ok") == asked + 1
    assert host.requests("cancelled") == broken_off + 1
    whole = await widget.body().inner_text()
    assert whole.startswith(before[:-1])

    # Edit what was said last, and send it again.
    await widget.part("edit").last.click()
    await expect(widget.part("editing")).to_be_visible()
    assert await widget.field.input_value() == STORY
    await widget.say("What is two plus two?")
    await expect(widget.questions).to_have_count(2)
    await expect(widget.questions.last).to_contain_text("What is two plus two?")
    await widget.answered(3, PATIENCE)
    assert await widget.body().inner_text() != whole

    # A thumb down, and why.
    await widget.part("feedback-down").last.click()
    await widget.part("feedback-comment").last.fill("It should say four.")
    await widget.part("feedback-send").last.click()
    await expect(widget.part("feedback-down").last).to_have_attribute("aria-pressed", "true")

    async def rated() -> bool:
        return "It should say four." in host.kept("conversations", "export", conversation)

    (line,) = host.kept("conversations", "list").splitlines()
    conversation = line.split()[0]
    await eventually(rated, widget.page)
    kept = json.loads(host.kept("conversations", "export", conversation))
    (rating,) = kept["feedback"]
    assert (rating["value"], rating["comment"]) == ("negative", "It should say four.")
    said = host.kept("conversations", "show", conversation)
    assert "What is two plus two?" in said
    assert STORY not in said  # what was edited away was not said

    await files_are_sent(widget)


async def files_are_sent(widget: Widget) -> None:
    """A picture is; what is too large or of a wrong kind is not, and the visitor is told why."""
    expect = playwright.expect
    file = {"name": "sunset.png", "mimeType": "image/png", "buffer": picture()}
    await widget.part("picker").set_input_files(file)
    await expect(widget.part("attachment")).to_contain_text("sunset.png")
    # Until it is with the server, Enter sends nothing.
    await expect(widget.part("attachment")).not_to_have_class(re.compile("uploading"))
    await widget.say("What do you see?")
    await expect(widget.part("attachment")).to_have_count(0)
    shown = widget.questions.last.locator("img")
    await expect(shown).to_be_visible()
    assert await shown.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 240
    # One reply tells that the picture cannot be read, the next answers the text.
    await widget.answered(5, PATIENCE)
    await expect(widget.body(3)).to_contain_text("I cannot read images yet")
    await widget.page.reload()
    await widget.open()
    await expect(widget.questions.last.locator("img")).to_be_visible()

    # What cannot be sent is told in a sentence.
    large = {"name": "large.png", "mimeType": "image/png", "buffer": picture() + bytes(100_000)}
    await widget.part("picker").set_input_files(large)
    await expect(widget.part("objection")).to_have_text(re.compile(r"large\.png is too large.* kB"))
    song = {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3" + bytes(100)}
    await widget.part("picker").set_input_files(song)
    await expect(widget.part("objection")).to_contain_text("song.mp3")
    await expect(widget.part("attachment")).to_have_count(0)
    # The server looks at the bytes, whatever a file is called.
    liar = {"name": "photo.png", "mimeType": "image/png", "buffer": b"MZ" + bytes(500)}
    await widget.part("picker").set_input_files(liar)
    await expect(widget.part("objection")).to_contain_text("photo.png")
    await expect(widget.part("attachment")).to_have_count(0)
    expected = "console: Failed to load resource: the server responded with a status of 415"
    widget.seen.faults = [each for each in widget.seen.faults if not each.startswith(expected)]
