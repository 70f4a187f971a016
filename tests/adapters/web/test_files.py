"""Files in both directions, and what tries to be one."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from waiting import until
from web_visitor import Site, Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.replies import File, Reply
from botkit.settings import Settings
from botkit.testing.served import WORLD
from botkit.turn import Turn
from botkit_adapters.web import files as kept_files
from botkit_adapters.web.files import clean_name, disposition
from botkit_adapters.web.kinds import UNKNOWN, media_type
from botkit_adapters.web.options import DAY, WebOptions

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb")
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(20)
PDF = b"%PDF-1.7\n1 0 obj\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("data", "declared", "name", "found"),
    [
        (PNG, "image/png", "a.png", "image/png"),
        (PNG, "text/html", "a.html", "image/png"),
        (JPEG, "", "a", "image/jpeg"),
        (GIF, "", "a", "image/gif"),
        (WEBP, "", "a", "image/webp"),
        (PDF, "text/plain", "a.txt", "application/pdf"),
        (b"a,b\n1,2\n", "text/csv", "a.csv", "text/csv"),
        (b"a,b\n1,2\n", "application/octet-stream", "a.csv", "text/csv"),
        (b"a,b\n1,2\n", "text/x-csv", "a.CSV", "text/csv"),
        ("Grüße, 世界".encode(), "text/plain", "a.txt", "text/plain"),
        (b"\xef\xbb\xbfhello", "text/plain", "a.txt", "text/plain"),
        (b"# title", "text/markdown", "a.md", "text/markdown"),
        (b'{"a": 1}', "application/json", "a.json", "application/json"),
        (b"x", "", "a", "text/plain"),
        # What it is called makes it nothing.
        (b"hello", "image/png", "a.png", UNKNOWN),
        (b"hello", "text/html", "a.html", UNKNOWN),
        (b"hello", "image/svg+xml", "a.svg", UNKNOWN),
        (b"hello", "application/pdf", "a.pdf", UNKNOWN),
        (SVG, "image/svg+xml", "a.svg", UNKNOWN),
        (SVG, "image/png", "a.png", UNKNOWN),
        (SVG, "text/plain", "a.txt", UNKNOWN),
        (b"\xef\xbb\xbf  \n" + HTML, "text/plain", "a.txt", UNKNOWN),
        (HTML, "text/html", "a.html", UNKNOWN),
        (HTML.upper(), "", "a.txt", UNKNOWN),
        (b"<?xml version='1.0'?>" + SVG, "text/plain", "a.txt", UNKNOWN),
        (b"", "image/png", "a.png", UNKNOWN),
        (b"\x00\x01\x02", "text/plain", "a.txt", UNKNOWN),
        (b"caf\xe9", "text/plain", "a.txt", UNKNOWN),
        ("text".encode("utf-16"), "text/plain", "a.txt", UNKNOWN),
        (b"MZ\x90\x00" + bytes(100), "image/png", "a.png", "application/x-msdownload"),
        (b"\x7fELF" + bytes(100), "text/plain", "a.txt", "application/x-executable"),
        (b"PK\x03\x04" + bytes(100), "image/png", "a.png", "application/zip"),
    ],
)
def test_a_file_is_what_its_bytes_are(data: bytes, declared: str, name: str, found: str) -> None:
    assert media_type(data, declared, name) == found


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("", "file"),
        ("/", "file"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("a\x00b", "ab"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("Grüße 世界.txt", "Grüße 世界.txt"),
        ("x" * 500, "x" * 120),
        ("   ", "file"),
    ],
)
def test_names(name: str, kept: str) -> None:
    assert clean_name(name) == kept


def test_how_a_browser_is_told_the_name() -> None:
    said = disposition('a "quoted"; name=\\ 世界.png', "image/png")
    assert said.startswith("inline; filename=\"a _quoted__ name__ __.png\"; filename*=UTF-8''a%20")
    assert said.isascii()
    assert disposition("a.svg", "image/svg+xml").startswith("attachment; ")
    assert disposition("a.html", "text/html").startswith("attachment; ")


async def send(visitor: Visitor, data: Any, name: str = "a", kind: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": kind} if kind else {}
    return await visitor.ask(
        "POST", "/web/files", params={"name": name}, data=data, headers=headers
    )


async def test_a_picture_is_sent_and_shown(tmp_path: Path) -> None:
    bot = Bot()
    got: list[tuple[str, str, str, bytes]] = []

    @bot.default
    async def look(turn: Turn) -> str:
        got.extend([(a.kind, a.name, a.media_type, await turn.fetch(a)) for a in turn.attachments])
        return f"{len(turn.attachments)} files"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        status, file = await send(visitor, PNG, 'my "cat"\n世界.png', "image/png")
        assert status == 201
        assert file["type"] == "image/png"
        assert (file["name"], file["size"]) == ('my "cat"世界.png', len(PNG))
        async with visitor.page() as page:
            said = await visitor.say("", files=[file["id"]])
            assert await page.answered(said) == "1 files"
            shown = page.entries[0]["files"][0]
            assert {**shown, "url": ""} == {**file, "url": ""}
            url = f"{site.address}{shown['url']}"
            async with site.http.get(url) as response:
                assert await response.read() == PNG
                headers = response.headers
                assert headers["Content-Type"] == "image/png"
                assert headers["Content-Disposition"].startswith("inline;")
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
                assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
                assert headers["Cache-Control"].startswith("private")
            async with site.http.get(url, headers={"Origin": site.address}) as response:
                assert response.headers["Access-Control-Allow-Origin"] == site.address
            # An <img> of another site: no Origin is sent, and the key is what counts.
            async with site.http.get(url, headers={"Sec-Fetch-Site": "cross-site"}) as response:
                assert response.status == 200
            async with site.http.get(url, headers={"Origin": "https://evil.example"}) as response:
                assert response.status == 403
            for wrong in (f"{site.address}/web/files/{file['id']}", url + "x", url[:-4]):
                async with site.http.get(wrong) as response:
                    assert response.status == 404
        assert got == [("image", 'my "cat"世界.png', "image/png", PNG)]


async def test_what_is_refused(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, web_file_bytes=2000, web_file_rate="off") as site:
        visitor = await site.visitor()
        for data, name, kind in ((HTML, "a.html", "text/html"), (SVG, "a.svg", "image/svg+xml")):
            status, body = await send(visitor, data, name, kind)
            assert (status, body["error"]["code"]) == (415, "file_type_not_allowed")
            assert "image/png" in body["error"]["allowed"]
        status, body = await send(visitor, PNG + bytes(2000))
        assert (status, body["error"]["code"], body["error"]["limit"]) == (
            413,
            "file_too_large",
            2000,
        )
        assert visitor.answer.headers["Access-Control-Allow-Origin"] == site.address
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 1000
                yield bytes(1000)

        status, body = await send(visitor, endless())
        assert (status, body["error"]["code"]) == (413, "file_too_large")
        assert sent < 10_000_000
        assert (await send(visitor, PNG))[0] == 201


async def test_where_no_files_are_taken(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, web_file_bytes=0) as site:
        visitor = await site.visitor()
        limits = visitor.about["limits"]
        assert (limits["file_bytes"], limits["files"], limits["file_types"]) == (0, 0, [])
        assert (await send(visitor, PNG))[0] == 413


async def test_files_are_ones_own(site: Site, visitor: Visitor) -> None:
    _, file = await send(visitor, PNG)
    stranger = await site.visitor()
    import uuid

    for files in ([file["id"]], ["f_unknown"], ["../x"], [""]):
        status, body = await stranger.send(id=str(uuid.uuid4()), text="x", files=files)
        assert (status, body["error"]["code"]) == (404, "not_found"), files
    status, body = await visitor.send(id=str(uuid.uuid4()), text="x", files=[file["id"]] * 5)
    assert status == 400
    async with visitor.page() as page:
        said = await visitor.say("x", files=[file["id"], file["id"]])
        await page.answered(said)
        assert len(page.entries[0]["files"]) == 1


async def test_a_conversation_holds_so_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_files, "HELD_BYTES", 3 * len(PNG) - 1)
    async with bot_on_the_web(tmp_path, web_file_rate="off") as site:
        visitor = await site.visitor()
        assert [(await send(visitor, PNG))[0] for _ in range(2)] == [201, 201]
        status, body = await send(visitor, PNG)
        assert (status, body["error"]["code"]) == (413, "too_many_files")
        assert body["error"]["message"].endswith(".")
        assert (await send(visitor, b"x"))[0] == 201
        stranger = await site.visitor()
        assert (await send(stranger, PNG))[0] == 201
        async with visitor.page() as page:
            said = await visitor.say(kind="command", name="reset")
            await page.until(lambda: page.replies(said))
        assert (await send(visitor, PNG))[0] == 201


async def test_few_are_read_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "WAIT_SECONDS", 0.3)
    go, begun = asyncio.Event(), 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal begun
        yield PNG[:9]
        begun += 1
        await go.wait()
        yield PNG[9:]

    async with bot_on_the_web(tmp_path, web_file_rate="off") as site:
        visitor = await site.visitor()
        sending = [asyncio.create_task(send(visitor, slow())) for _ in range(kept_files.READING)]
        await until(lambda: begun == kept_files.READING)
        await asyncio.sleep(0.1)
        status, body = await send(visitor, PNG)
        assert (status, body["error"]["code"]) == (503, "unavailable")
        assert int(visitor.answer.headers["Retry-After"]) >= 1
        go.set()
        assert [status for status, _ in await asyncio.gather(*sending)] == [201] * len(sending)
        assert (await send(visitor, PNG))[0] == 201


@pytest.mark.parametrize(("days", "kept"), [(0, 30), (2, 2), (60, 30)])
def test_a_file_is_kept_no_longer_than_what_was_said(days: float, kept: float) -> None:
    settings = Settings.load(ignore=(*WORLD, "host"), host="127.0.0.1", retention_days=days)
    assert WebOptions.of(settings).file_seconds == kept * DAY


@pytest.mark.parametrize("command", ["reset", "forget"])
async def test_files_go_with_what_was_said(site: Site, visitor: Visitor, command: str) -> None:
    _, file = await send(visitor, PNG)
    async with visitor.page() as page:
        await page.answered(await visitor.say("x", files=[file["id"]]))
        said = await visitor.say(kind="command", name=command)
        await page.until(lambda: page.replies(said))
    async with site.http.get(f"{site.address}{file['url']}") as response:
        assert response.status == 404
    assert await site.application.store.records("web").keys("conversation:") == []


async def test_files_of_a_reply_that_nobody_sees_are_not_kept(tmp_path: Path) -> None:
    bot, go = Bot(), asyncio.Event()

    @bot.default
    async def answer(turn: Turn) -> Reply | str:
        if turn.text != "plot":
            return "no plot"
        await go.wait()
        return Reply("here", files=(File("plot.png", base64.b64encode(PNG), "image/png"),))

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page() as page:
            said = await visitor.say("plot")
            await page.until(lambda: page.state == "working")
            again = await visitor.say("no", replaces=said)
            go.set()
            await page.answered(again)
            await site.idle()
        assert await site.application.store.records("web").keys("conversation:") == []


async def test_too_many_are_refused(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, web_file_rate="2/hour") as site:
        visitor = await site.visitor()
        assert [(await send(visitor, PNG))[0] for _ in range(3)] == [201, 201, 429]
        assert int(visitor.answer.headers["Retry-After"]) > 1000


async def test_files_of_the_bot(tmp_path: Path) -> None:
    bot = Bot()

    @bot.default
    async def answer(turn: Turn) -> Reply:
        return Reply(
            "here",
            files=(
                File("plot.png", base64.b64encode(PNG), "image/png"),
                File("page.html", base64.b64encode(HTML), "text/html"),
                File("bad", base64.b64encode(b"x"), "text/html\r\nX: y"),
            ),
        )

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page() as page:
            said = await visitor.say("files")
            await page.answered(said)
            files = page.replies(said)[0]["files"]
            assert [each["name"] for each in files] == ["plot.png", "page.html", "bad"]
            types = []
            for file in files:
                async with site.http.get(f"{site.address}{file['url']}") as response:
                    assert response.status == 200
                    kind = response.headers["Content-Disposition"].partition(";")[0]
                    types.append((response.headers["Content-Type"], kind))
                    assert "sandbox" in response.headers["Content-Security-Policy"]
            assert types == [
                ("image/png", "inline"),
                ("text/html; charset=utf-8", "attachment"),
                (UNKNOWN, "attachment"),
            ]
