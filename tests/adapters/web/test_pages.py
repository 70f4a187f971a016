"""The script and the demo page."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import aiohttp
import pytest
from web_visitor import Site, bot_on_the_web

from botkit_adapters.web.script import Built, Script, _takes_gzip

SCRIPT = b"console.log('widget')\n" * 100


@pytest.fixture(autouse=True)
def _built(monkeypatch: pytest.MonkeyPatch) -> None:
    built = Built(SCRIPT, gzip.compress(SCRIPT), "0123456789abcdef")
    monkeypatch.setattr(Script, "built", built)


@pytest.fixture
async def http(site: Site) -> aiohttp.ClientSession:
    async with aiohttp.ClientSession(site.address, auto_decompress=False) as http:
        yield http


async def test_the_script_is_revalidated(http: aiohttp.ClientSession) -> None:
    async with http.get("/widget.js", headers={"Origin": "https://any.example"}) as response:
        assert response.status == 200
        headers = response.headers
        assert headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await response.read()) == SCRIPT
        assert headers["Cache-Control"] == "public, max-age=300, must-revalidate"
        assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Vary"] == "Accept-Encoding"
    for tag in (headers["ETag"], f'"x", {headers["ETag"]}', headers["ETag"].removeprefix("W/")):
        async with http.get("/widget.js", headers={"If-None-Match": tag}) as response:
            assert response.status == 304
            assert await response.read() == b""
            assert response.headers["ETag"] == headers["ETag"]
    async with http.get("/widget.js", headers={"Accept-Encoding": "identity"}) as response:
        assert await response.read() == SCRIPT
        assert "Content-Encoding" not in response.headers
    async with http.head("/widget.js") as response:
        assert response.status == 200
        assert await response.read() == b""


async def test_the_script_of_a_hash_stays(http: aiohttp.ClientSession) -> None:
    for version, kept in (("0123456789abcdef", "public, max-age=31536000, immutable"), ("x", None)):
        async with http.get(f"/widget.js?v={version}") as response:
            assert gzip.decompress(await response.read()) == SCRIPT
            assert (response.headers["Cache-Control"] == kept) is (kept is not None)


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("GZIP", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
    ],
)
def test_who_takes_gzip(accepted: str, taken: bool) -> None:
    assert _takes_gzip(accepted) is taken


async def test_without_a_built_script(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Script, "built", None)
    async with http.get("/widget.js") as response:
        assert response.status == 404
    async with http.get("/") as response:
        assert response.status == 200


async def test_the_page_shows_the_widget_and_how_to_embed_it(site: Site) -> None:
    async with site.http.get(f"{site.address}/") as response:
        text = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert 'src="/widget.js?v=0123456789abcdef"' in text
    assert f"&lt;script async src=&quot;{site.address}/widget.js&quot;&gt;&lt;/script&gt;" in text
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"\son\w+=|<style|style=|<script(?![^>]*\ssrc=)", text)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)
    assert '<section class="notice" hidden>' in text
    for path, kind in re.findall(r'(?:src|href)="(/web/page/[^"]+\.(\w+))"', text):
        async with site.http.get(f"{site.address}{path}") as response:
            assert response.status == 200
            assert {"css": "text/css", "js": "text/javascript"}[kind] in response.headers[
                "Content-Type"
            ]
            assert len(await response.text()) > 200


async def test_the_page_says_when_its_own_address_is_refused(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, web_origins=("https://shop.example",)) as site:
        for host, refused in (("bot.example", True), ("localhost:1", False)):
            async with site.http.get(f"{site.address}/", headers={"Host": host}) as response:
                text = await response.text()
            assert ('<section class="notice" hidden>' not in text) is refused


@pytest.mark.parametrize("host", ['"><script>alert(1)</script>', "a b", "x" * 300, "a/b", "@"])
async def test_a_strange_host_is_not_repeated(site: Site, host: str) -> None:
    async with site.http.get(f"{site.address}/", headers={"Host": host}) as response:
        assert "alert(1)" not in await response.text()


async def test_behind_a_public_address(tmp_path: Path) -> None:
    options = {"web_origins": ("https://shop.example",), "public_url": "https://bot.example/"}
    async with bot_on_the_web(tmp_path, **options) as site:
        headers = {"Host": "bot.example"}
        async with site.http.get(f"{site.address}/", headers=headers) as response:
            text = await response.text()
        assert "https://bot.example/widget.js" in text
        assert '<section class="notice" hidden>' in text
        assert "may embed it; pages elsewhere are refused" in text
