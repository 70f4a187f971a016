"""How fast the widget is in a real browser; with `--pictures`, the pictures of the README instead.

Run by `make bench`. Figures are medians; each page load begins with an empty cache.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import importlib.util
import statistics
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

if any(importlib.util.find_spec(each) is None for each in ("playwright", "pytest")):
    print("the widget is not measured: install botkit[dev]")
    sys.exit()

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from browser import CHROMIUM  # noqa: E402
from widget_bot import web_bot  # noqa: E402
from widget_page import BUILT, Browser, Widget, browsing  # noqa: E402
from widget_site import Site, embedding, site  # noqa: E402

from botkit.bot import Bot  # noqa: E402
from botkit.completion.scripted import ScriptedCompletion  # noqa: E402
from botkit.turn import Turn  # noqa: E402

LOADS = 21
TOKENS = 1_000
STREAMS = 3
TOKEN_SECONDS = 0.01
FIRST_TOKENS = 15

# The clock of the page: when the script was there, when its launcher had been painted. A frame
# begins to be painted when its callback runs; the one after comes when it has been.
WATCH_LAUNCHER = """
new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
        if (entry.name.endsWith('/widget.js')) window.__script = entry.responseEnd;
}).observe({type: 'resource', buffered: true});
new MutationObserver((_, observer) => {
    const launcher = document.querySelector('botkit-chat')?.shadowRoot?.querySelector('.launcher');
    if (!launcher) return;
    observer.disconnect();
    requestAnimationFrame(() => {
        const box = launcher.getBoundingClientRect();
        const seen = box.width > 0 && getComputedStyle(launcher).visibility === 'visible';
        requestAnimationFrame((time) => { window.__launcher = seen ? time : NaN });
    });
}).observe(document, {childList: true, subtree: true});
"""

# When a piece of the stream arrived, and when the frame with it had been painted.
WATCH_TOKENS = """
window.__arrived = [];
window.__painted = [];
window.__gaps = [];
const get = window.fetch;
window.fetch = async (...asked) => {
    const response = await get(...asked);
    if (!String(asked[0]).includes('/web/stream') || !response.ok) return response;
    const decoder = new TextDecoder();
    const seen = new TransformStream({transform(chunk, controller) {
        if (window.__reply === false && decoder.decode(chunk).includes('event: draft')) {
            window.__reply = true;
            window.__arrived.push(performance.now());
        }
        controller.enqueue(chunk);
    }});
    return new Response(response.body.pipeThrough(seen),
        {status: response.status, headers: response.headers});
};
window.botkitBenchWatch = () => {
    window.__reply = false;
    const root = document.querySelector('botkit-chat').shadowRoot;
    const live = () => root.querySelector('[aria-busy=true] [data-part=body]')?.textContent;
    const observer = new MutationObserver(() => {
        if (!window.__reply || !live()) return;
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame((time) => window.__painted.push(time)));
    });
    observer.observe(root, {subtree: true, childList: true, characterData: true});
};
window.botkitBenchFrames = () => {
    let before = performance.now();
    window.__gaps = [];
    const frame = (now) => {
        window.__gaps.push(now - before);
        before = now;
        window.__frames = requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => { before = now; requestAnimationFrame(frame) });
};
"""


def row(name: str, figure: str, limit: str = "") -> None:
    """Print one figure."""
    print(f"{name:46} {figure:>26}   {limit}", flush=True)


def middle(found: list[float], unit: str = "ms") -> str:
    """The median, and what one in twenty exceeds."""
    ordered = sorted(found)
    high = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    return f"{statistics.median(ordered):7.1f} {unit}, p95 {high:.1f}"


def talker() -> Bot:
    """Answers at once with a word, or with a thousand tokens of Markdown."""
    bot = Bot(middleware=(), handlers=())

    @bot.started
    async def silent() -> None:
        return None

    @bot.default
    async def answer(turn: Turn) -> AsyncIterator[str]:
        for number in range(TOKENS if turn.text == "much" else 1):
            yield token(number)
            await asyncio.sleep(TOKEN_SECONDS)
        await asyncio.sleep(0.3)

    return bot


def token(number: int) -> str:
    """Prose with emphasis, lists, code and a table now and then."""
    place = number % 100
    if place == 40:
        return "\n\n```python\nfor each in range(10):\n    print(each)\n```\n\n"
    if place == 60:
        return "\n\n- **one** of many\n- two `of` many\n\n"
    if place == 80:
        return "\n\n| a | b |\n| - | - |\n| 1 | *2* |\n\n"
    return f"**word{number}** " if place % 10 == 0 else f"word{number} "


async def launchers(chromium: Browser, shop: Site) -> tuple[list[float], list[float]]:
    """From the script's last byte to the painted launcher; from navigation to it."""
    from_script, from_start = [], []
    for _ in range(LOADS):
        visitor = await chromium.visitor()
        await visitor.add_init_script(WATCH_LAUNCHER)
        widget = await chromium.visit(shop.origin() + "/", visitor)
        await widget.page.wait_for_function("window.__launcher && window.__script")
        script, launcher = await widget.page.evaluate("[window.__script, window.__launcher]")
        from_script.append(launcher - script)
        from_start.append(launcher)
        await visitor.close()
    return from_script, from_start


async def reader(chromium: Browser, shop: Site) -> Widget:
    """A page with an open panel and an open stream."""
    visitor = await chromium.visitor()
    await visitor.add_init_script(WATCH_TOKENS)
    widget = await chromium.visit(shop.origin() + "/", visitor)
    await widget.open()
    await widget.page.wait_for_function(
        "document.querySelector('botkit-chat').shadowRoot"
        ".querySelector('[data-part=panel]').dataset.link === 'open'"
    )
    return widget


async def first_tokens(chromium: Browser, shop: Site) -> list[float]:
    """From the arrival of a reply's first piece until it had been painted."""
    widget = await reader(chromium, shop)
    for count in range(1, FIRST_TOKENS + 1):
        await widget.page.evaluate("window.botkitBenchWatch()")
        await widget.say("little")
        await widget.answered(count)
        await widget.page.wait_for_function("(n) => window.__painted.length >= n", arg=count)
    arrived, painted = await widget.page.evaluate("[window.__arrived, window.__painted]")
    await widget.page.context.close()
    return [after - before for before, after in zip(arrived, painted, strict=True)]


async def long_streams(chromium: Browser, shop: Site) -> tuple[list[float], list[float], float]:
    """The longest gap between frames, the median one, and what the page takes in MiB."""
    longest, usual = [], []
    widget = await reader(chromium, shop)
    for count in range(1, STREAMS + 1):
        await widget.page.evaluate("window.botkitBenchFrames()")
        await widget.say("much")
        await widget.answered(count, 120_000)
        gaps = await widget.page.evaluate("(cancelAnimationFrame(window.__frames), window.__gaps)")
        longest.append(max(gaps))
        usual.append(statistics.median(gaps))
    session = await widget.page.context.new_cdp_session(widget.page)
    await session.send("HeapProfiler.collectGarbage")
    heap: dict[str, Any] = await session.send("Runtime.getHeapUsage")
    await widget.page.context.close()
    return longest, usual, heap["usedSize"] / 2**20


async def measure() -> None:
    """Print every figure."""
    script = BUILT.read_bytes()
    packed = len(gzip.compress(script, 9, mtime=0))
    row("widget.js", f"{len(script) / 1024:.1f} KiB, {packed / 1024:.1f} KiB gz", "at most 40 gz")
    async with (
        site() as shop,
        browsing() as chromium,
        web_bot(ScriptedCompletion(), talker(), origins=(shop.origin(),)) as bot,
    ):
        shop.add("/", embedding(bot.address))
        from_script, from_start = await launchers(chromium, shop)
        row("script there to launcher painted", middle(from_script), "at most 100")
        row("  navigation to launcher painted", middle(from_start))
        tokens = await first_tokens(chromium, shop)
        row("first token there to painted", middle(tokens), "at most 50")
        longest, usual, heap = await long_streams(chromium, shop)
        row(f"{TOKENS} tokens streamed, longest frame", middle(longest), "at most 100")
        row("  usual frame", middle(usual))
        row(f"  page after {STREAMS * TOKENS} tokens, script heap", f"{heap:.1f} MiB")


def main() -> None:
    """Measure, or make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", action="store_true", help="write infra/pictures/widget-*.png")
    arguments = parser.parse_args()
    if CHROMIUM is None or not BUILT.is_file():
        print("the widget is not measured: there is no chromium, or it was not built")
    elif arguments.pictures:
        from widget_pictures import pictures

        folder = ROOT / "infra" / "pictures"
        folder.mkdir(exist_ok=True)
        asyncio.run(pictures(folder))
    else:
        asyncio.run(measure())


if __name__ == "__main__":
    main()
