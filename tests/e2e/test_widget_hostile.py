"""What a reply, a bot, a visitor or a site may try to smuggle in, in a real page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

import pytest
from browser import skip_without_browser
from widget_bot import web_bot
from widget_corpus import CASES, ELEMENTS, HUGE, OPEN, aimed
from widget_page import Browser, Widget, skip_without_widget
from widget_site import Site, embedding, site

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.replies import Button, File, Reply
from botkit.turn import Turn
from botkit_adapters.web import stream

skip_without_browser()
skip_without_widget()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

BATCH = 12
READERS = 3
PAUSE = 0.002
READING = 60_000
HUGE_SECONDS = 10.0
"""A guard: they take a fraction of a second each."""

# Runs before the page's own scripts. It has the widget draw at once, without waiting for a frame,
# so that each piece that comes is drawn by itself; and it looks at all that ever enters a shadow
# root, be it for the blink of an eye.
LOOKOUT = """
window.pwned = () => { window.__pwned = (window.__pwned || 0) + 1 };
window.__pwned = 0;
window.__wrong = [];
window.__drafts = 0;
const frame = window.requestAnimationFrame;
if (%(at_once)s) window.requestAnimationFrame = (draw) =>
    new Error().stack.includes('/widget.js') ? (draw(performance.now()), 1) : frame(draw);

const WRITTEN = new Set(('p h3 blockquote ul ol li hr div pre code span button table thead tbody tr'
    + ' th td strong em del a br').split(' '));
const AROUND = new Set([...WRITTEN, ...('svg path section header h2 form textarea input article'
    + ' time i img canvas rect circle label').split(' ')]);
const SAFE = new Set(['http:', 'https:', 'mailto:', 'tel:']);

function look(element, parent) {
    const wrong = (why) => window.__wrong.push(`${why}: ${element.outerHTML.slice(0, 300)}`);
    // What is gone again by now is judged by where it was put.
    const written = [element.parentElement, parent].some((one) =>
        one?.closest?.('[data-role=assistant] [data-part=body]'));
    if (!(written ? WRITTEN : AROUND).has(element.localName)) wrong('element');
    for (const {name, value} of element.attributes) {
        if (/^on|^(srcdoc|srcset|action|formaction|ping|background|poster|data)$/i.test(name))
            wrong(`attribute ${name}`);
        if (name === 'style' && (written || /url\\(/i.test(value))) wrong('style');
        if (name === 'src' && new URL(value, document.baseURI).origin !== '%(bot)s')
            wrong('source');
        if (name.endsWith('href')) {
            if (element.localName !== 'a' || !SAFE.has(element.protocol)) wrong('address');
            if (!element.relList.contains('noopener')) wrong('rel');
        }
    }
}

const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    new MutationObserver((records) => {
        for (const record of records) {
            if (record.type === 'attributes') look(record.target, null);
            for (const node of record.addedNodes) {
                if (node.nodeType !== Node.ELEMENT_NODE) continue;
                look(node, record.target);
                for (const inner of node.querySelectorAll('*'))
                    look(inner, record.target);
            }
        }
    }).observe(root, {subtree: true, childList: true, attributes: true});
    return root;
};

const get = window.fetch;
window.fetch = async (...asked) => {
    const response = await get(...asked);
    if (!String(asked[0]).includes('/web/stream') || !response.ok) return response;
    const [one, other] = response.body.tee();
    (async () => {
        const decoder = new TextDecoder();
        for (const reader = other.getReader(); ;) {
            const {done, value} = await reader.read();
            if (done) return;
            const pieces = decoder.decode(value, {stream: true}).split('event: draft');
            window.__drafts += pieces.length - 1;
        }
    })();
    return new Response(one, {status: response.status, headers: response.headers});
};
"""


def dripping(texts: dict[str, str], size: int = 1, pause: float = PAUSE) -> Bot:
    """A bot that writes what is asked for, so many characters at a time.

    Args:
        texts: What to answer, by what is asked.
        size: Characters a piece.
        pause: Seconds between pieces.
    """
    bot = Bot(middleware=(), handlers=())

    @bot.started
    async def say_nothing() -> None:
        return None

    @bot.default
    async def answer(turn: Turn) -> AsyncIterator[str]:
        text = texts[turn.text]
        for at in range(0, len(text), size):
            yield text[at : at + size]
            await asyncio.sleep(pause)

    return bot


async def lookout(
    chromium: Browser, shop: Site, bot: str, *, at_once: bool = True, page: str = "", **data: str
) -> Widget:
    """A page that is watched from before its first script."""
    shop.add("/hostile", page or embedding(bot, **data))
    visitor = await chromium.visitor()
    given = {"bot": bot, "at_once": str(at_once).lower()}
    await visitor.add_init_script(LOOKOUT % given)
    return await chromium.visit(f"{shop.origin()}/hostile", visitor)


async def unharmed(widget: Widget, canary: Site) -> None:
    """Nothing ran, nobody foreign was asked, and there is nothing in the page that could do so."""
    assert await widget.page.evaluate("window.__pwned") == 0
    assert await widget.page.evaluate("window.__wrong") == []
    assert canary.asked == []
    assert widget.seen.faults == []
    assert f"127.0.0.1:{canary.port}" not in widget.seen.hosts
    names = {urlsplit(f"//{host}").hostname for host in widget.seen.hosts}
    assert names == {"127.0.0.1"}
    assert widget.page.url.endswith("/hostile")


def batches(cases: Sequence[str]) -> list[str]:
    """Several cases a reply, each a block of its own; and each of those that leave something open
    at the end of one."""
    texts = ["\n\n".join(cases[at : at + BATCH]) for at in range(0, len(cases), BATCH)]
    return [*texts, *OPEN]


@pytest.mark.timeout(400)
async def test_hostile_markdown_at_every_boundary(
    chromium: Browser, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was written since the last frame is given to pages at once; here each character is.
    monkeypatch.setattr(stream, "FRAME_SECONDS", 0.0)
    async with site() as canary:
        texts = [aimed(text, canary.origin()) for text in batches(CASES)]
        asked = {str(number): text for number, text in enumerate(texts)}
        drafts = 0

        async def read(first: int) -> None:
            nonlocal drafts
            widget = await lookout(chromium, shop, bot.address)
            await widget.open()
            own = list(asked)[first::READERS]
            for count, number in enumerate(own, 1):
                await widget.say(number)
                await widget.answered(count, READING)
            assert await widget.replies.count() == len(own)
            await unharmed(widget, canary)
            drafts += await widget.page.evaluate("window.__drafts")
            # What was drawn piece by piece is what is drawn of the whole text.
            pieces = await widget.shadow(BODIES)
            await widget.page.reload()
            await widget.open()
            await widget.answered(len(own))
            assert await widget.shadow(BODIES) == pieces
            await unharmed(widget, canary)

        origins = (shop.origin(),)
        async with web_bot(ScriptedCompletion(), dripping(asked), origins=origins) as bot:
            await asyncio.gather(*(read(first) for first in range(READERS)))
    boundaries = sum(map(len, texts))
    print(f"{drafts} of {boundaries} prefixes were drawn")
    assert drafts >= 0.97 * boundaries  # a busy machine may send two characters at once


BODIES = """(root) => [...root.querySelectorAll('[data-role=assistant] [data-part=body]')]
    .map((body) => body.innerHTML)"""


async def test_the_lookout_sees_what_it_looks_for(chromium: Browser, shop: Site) -> None:
    async with web_bot(ScriptedCompletion(), origins=(shop.origin(),)) as bot:
        widget = await lookout(chromium, shop, bot.address)
        await widget.open()
        await widget.shadow(
            """async (root) => {
                const body = document.createElement('div');
                body.dataset.part = 'body';
                const reply = document.createElement('div');
                reply.dataset.role = 'assistant';
                reply.append(body);
                root.append(reply);
                body.innerHTML = '<img src=//x.invalid onerror=pwned()><a href=javascript:1>x</a>';
                body.replaceChildren();
                await new Promise((seen) => setTimeout(seen, 50));
            }"""
        )
        wrong = await widget.page.evaluate("window.__wrong")
        found = {line.partition(":")[0] for line in wrong}
        assert found == {"element", "attribute onerror", "source", "address", "rel"}
        assert await widget.page.evaluate("window.__pwned") == 1
        assert "x.invalid" in widget.seen.hosts


@pytest.mark.timeout(300)
async def test_nothing_is_so_long_or_deep_that_the_page_hangs(
    chromium: Browser, shop: Site
) -> None:
    async with site() as canary:
        texts = {name: aimed(text, canary.origin()) for name, text in HUGE.items()}
        # In some fifteen pieces, so that it is drawn while it grows too.
        bot = dripping(texts, size=3_000, pause=0.02)
        async with web_bot(
            ScriptedCompletion(), bot, origins=(shop.origin(),), limit_characters=200_000
        ) as served:
            widget = await lookout(chromium, shop, served.address, at_once=False)
            await widget.open()
            for count, name in enumerate(texts, 1):
                began = asyncio.get_running_loop().time()
                await widget.say(name)
                await widget.answered(count, READING)
                took = asyncio.get_running_loop().time() - began
                assert took < HUGE_SECONDS, (name, took)
            await unharmed(widget, canary)
            # A page that comes back to all of it at once is not lost either.
            await widget.page.reload()
            await widget.open()
            await widget.answered(len(texts), READING)
            await unharmed(widget, canary)


def payloads(canary: str) -> Bot:
    bot = Bot(middleware=(), handlers=())
    hostile = [aimed(text, canary) for text in ELEMENTS[:12]]

    @bot.started
    async def say_nothing() -> None:
        return None

    @bot.message("buttons")
    async def buttons() -> Reply:
        urls = [
            *("javascript:pwned()", "JaVaScRiPt:pwned()", " \tjavascript:pwned()"),
            *("java\nscript:pwned()", "data:text/html,<script>pwned()</script>", "vbscript:x"),
            *("file:///etc/passwd", "blob:x", "\x01javascript:pwned()"),
        ]
        return Reply(
            "Choose:",
            buttons=(
                *(Button(text, url=url) for text, url in zip(hostile, urls, strict=False)),
                Button("<b>label</b>", id="go", value="<script>pwned()</script>"),
                Button('" onclick="pwned()', id="quote", style='"><script>'),  # type: ignore[arg-type]
                Button("fine", url="https://shop.example/there"),
            ),
            suggestions=tuple(hostile[:4]),
        )

    @bot.message("files")
    async def files() -> Reply:
        svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="pwned()"><script>1</script></svg>'
        page = b"<script>parent.pwned ? parent.pwned() : opener.pwned()</script>"
        return Reply(
            "Here:",
            files=(
                File('<img src=x onerror=pwned()>.png"', svg, "image/svg+xml"),
                File("x.html", page, "text/html"),
                File("x.svg", svg, "image/png"),
                File("../../etc/passwd", b"text", "text/plain"),
                File("x.xhtml", page, "application/xhtml+xml"),
                File("x\r\nSet-Cookie: a=b.txt", b"text", 'text/plain"><script>pwned()</script>'),
                File("\u202egnp.exe", b"MZ", "javascript:pwned()"),
            ),
        )

    @bot.default
    async def echo(turn: Turn) -> str:
        return f"heard {len(turn.text)} characters"

    return bot


async def test_hostile_payloads_of_a_bot(chromium: Browser, shop: Site) -> None:
    async with site() as canary:
        bot = payloads(canary.origin())
        async with web_bot(ScriptedCompletion(), bot, origins=(shop.origin(),)) as served:
            widget = await lookout(chromium, shop, served.address)
            await widget.open()
            await widget.say("buttons")
            await widget.answered(1)
            buttons = widget.part("button")
            # Those that lead nowhere may not be pressed, but say what they say.
            assert await buttons.count() == 12
            links = await widget.root.locator("a[data-part=button]").all()
            assert [await link.get_attribute("href") for link in links] == [
                "https://shop.example/there"
            ]
            for button in await buttons.all():
                if await button.is_enabled() and await button.get_attribute("href") is None:
                    await button.click()
                    await widget.idle()
            await widget.say("files")
            await playwright.expect(
                widget.replies.last.locator("[data-part=files]")
            ).to_be_visible()
            await widget.idle()
            await unharmed(widget, canary)
            # Whoever opens a file gets text, a picture or a download: never a page that runs.
            addresses = await widget.shadow(
                "(root) => [...root.querySelectorAll('[data-part=files] a')].map((a) => a.href)"
            )
            assert len(addresses) == 7
            for address in addresses:
                answer = await widget.page.request.get(address)
                headers = answer.headers
                assert headers["x-content-type-options"] == "nosniff"
                assert "sandbox" in headers["content-security-policy"]
                inline = headers["content-disposition"].startswith("inline")
                assert not inline or headers["content-type"] in (
                    *("image/png", "image/jpeg", "image/gif", "image/webp"),
                ), headers
                assert "set-cookie" not in headers


async def test_hostile_text_of_a_visitor(chromium: Browser, shop: Site) -> None:
    async with site() as canary:
        bot = payloads(canary.origin())
        async with web_bot(ScriptedCompletion(), bot, origins=(shop.origin(),)) as served:
            widget = await lookout(chromium, shop, served.address)
            await widget.open()
            own = [aimed(text, canary.origin()) for text in batches(CASES)]
            for text in own:
                await widget.say(text)
            await widget.answered(1, READING)
            await playwright.expect(widget.questions).to_have_count(len(own))
            # It is shown as it was written.
            elements = (
                "(root) => root.querySelectorAll('[data-role=user] [data-part=body] *').length"
            )
            assert await widget.shadow(elements) == 0
            await unharmed(widget, canary)


async def test_hostile_attributes_of_a_page(chromium: Browser, shop: Site) -> None:
    """Whatever a site that lets others write into its page puts there."""
    origins = (shop.origin(),)
    async with site() as canary, web_bot(ScriptedCompletion(), origins=origins) as served:
        evil = "\"'><script>pwned()</script><img src=x onerror=pwned()>javascript:pwned()"
        names = ("title", "accent", "locale", "position", "greeting", "theme")
        data = dict.fromkeys(names, evil) | {
            "accent": f"red;background:url({canary.origin()}/accent.png)"
        }
        widget = await lookout(chromium, shop, served.address, **data)
        await widget.open()
        await widget.say("hello")
        await widget.answered(1)
        await unharmed(widget, canary)
        for name in names:
            await widget.root.evaluate(
                "(element, [name, value]) => element.setAttribute(name, value)",
                [f"data-{name}", evil],
            )
        await playwright.expect(widget.part("title")).to_have_text(evil)
        await unharmed(widget, canary)


HOSTILE_SITE = """<style>
* { display: none !important; visibility: hidden !important; opacity: 0 !important;
    font-size: 1px !important; color: transparent !important; pointer-events: none !important;
    position: static !important; transform: scale(0) !important; all: initial !important }
body, html, main { display: block !important; visibility: visible !important;
    opacity: 1 !important; transform: none !important; pointer-events: auto !important }
button, textarea, svg, section { width: 0 !important; height: 0 !important }
</style>
<script>
    // Libraries of the nineties add to the prototypes of everybody.
    Array.prototype.last = function () { return this[this.length - 1] };
    Object.prototype.inherited = 'surprise';
    String.prototype.contains = String.prototype.includes;
    window.$ = window.Promise$ = null;
    window.name = 'x'; window.status = 'y';
</script>
"""


async def test_a_sites_styles_and_scripts_do_not_break_it(chromium: Browser, shop: Site) -> None:
    async with web_bot(
        ScriptedCompletion(replies=["It **still** works."]), origins=(shop.origin(),)
    ) as bot:
        shop.add("/broken", embedding(bot.address, head=HOSTILE_SITE))
        widget = await chromium.visit(f"{shop.origin()}/broken")
        await widget.open()
        box = await widget.panel.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 300
        await widget.answered(1)
        await widget.say("Does it work?")
        await widget.answered(2)
        await playwright.expect(widget.body()).to_have_text("It still works.")
        size = await widget.body().evaluate("(body) => getComputedStyle(body).fontSize")
        assert float(size.removesuffix("px")) > 12
        await widget.page.keyboard.press("Escape")
        await playwright.expect(widget.panel).to_be_hidden()
        await playwright.expect(widget.launcher).to_be_visible()
        assert widget.seen.faults == []
