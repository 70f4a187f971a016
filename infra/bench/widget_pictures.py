"""The README's pictures of the widget: a shop, its bot, and what they say to each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from widget_bot import web_bot
from widget_page import Browser, Widget, browsing
from widget_site import Site, site

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.replies import Button, Reply
from botkit.turn import Turn

ACCENT = "#0b7a66"
DESKTOP = {"width": 1080, "height": 720}
PHONE = {"width": 390, "height": 780}

RENTAL = """Yes, from **age 3**, with a helmet:

| Wheel | Age | Per day |
| :-- | :-- | --: |
| 14 in | 3 to 5 | 9 € |
| 20 in | 6 to 8 | 12 € |
| 24 in | 9 to 12 | 14 € |

Bring a photo ID, and ride in *ten minutes*."""

SNIPPET = """Post the dates to `/v1/rentals`:

```python
import httpx

answer = httpx.post(
    "https://api.harbour.example/v1/rentals",
    json={"bike": "20in", "days": 2},
)
print(answer.json()["id"])
```

1. Keep the `id`: you need it to cancel.
2. Without a `days` field it is **one day**."""

ARABIC = """نعم! لدينا درّاجات **من عمر 3 سنوات**، والخوذة مجّانية:

| المقاس | العمر | في اليوم |
| :-- | :-- | :-- |
| 14 | 3 إلى 5 | 9 € |
| 20 | 6 إلى 8 | 12 € |

- أحضر بطاقة هويّة
- الحجز يستغرق عشر دقائق"""

STYLE = """
:root { color-scheme: light dark; --ink: #16302b; --soft: #5a716c; --paper: #f6f4ee;
    --card: #fff; --line: #e2ddd0; --green: #0b7a66 }
@media (prefers-color-scheme: dark) {
    :root { --ink: #e8efec; --soft: #9db0ab; --paper: #101816; --card: #18211f; --line: #26332f }
}
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.55 "DejaVu Sans", system-ui, sans-serif; color: var(--ink);
    background: var(--paper) }
header { display: flex; align-items: center; gap: 28px; padding: 20px 40px;
    border-bottom: 1px solid var(--line); font-size: 14px }
header b { font-size: 18px; letter-spacing: -.02em; margin-inline-end: auto }
header span { color: var(--soft) }
main { padding: 56px 40px; max-width: 620px }
h1 { font-size: 42px; line-height: 1.12; letter-spacing: -.03em; margin: 0 0 18px }
p { color: var(--soft); margin: 0 0 26px; max-width: 30em }
.go { display: inline-block; background: var(--green); color: #fff; border-radius: 10px;
    padding: 11px 20px; font-weight: 600; font-size: 15px }
.cards { display: grid; grid-template-columns: repeat(3, 1fr); gap: 14px; margin-top: 46px }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 14px;
    padding: 16px; font-size: 14px; color: var(--soft) }
.cards b { display: block; color: var(--ink); font-size: 15px; margin-bottom: 4px }
@media (max-width: 600px) {
    header { padding: 16px 20px } header span { display: none }
    main { padding: 32px 20px } h1 { font-size: 32px } .cards { grid-template-columns: 1fr }
}
"""

ENGLISH = (
    "Harbour Bikes",
    ("Bikes", "Tours", "Workshop", "Contact"),
    "See the coast on two wheels.",
    "City, mountain and children's bikes by the hour, the day or the week. "
    "Pick one up at the pier, and leave it where your ride ends.",
    "Rent a bike",
    (("Open every day", "9:00 to 19:00"), ("120 bikes", "all serviced"), ("4 piers", "one way")),
)
IN_ARABIC = (
    "درّاجات الميناء",
    ("الدرّاجات", "الجولات", "الورشة", "اتصل بنا"),
    "اكتشف الساحل على عجلتين.",
    "درّاجات للمدينة والجبل والأطفال بالساعة أو باليوم أو بالأسبوع. "
    "استلمها عند الرصيف واتركها حيث تنتهي رحلتك.",
    "استأجر درّاجة",
    (("كل يوم", "9:00 إلى 19:00"), ("120 درّاجة", "كلّها مفحوصة"), ("4 أرصفة", "ذهاب فقط")),
)


def page(words: Any, bot: str, language: str, title: str) -> str:
    """The shop in a language."""
    name, ways, head, text, go, cards = words
    direction = "rtl" if language == "ar" else "ltr"
    return f"""<!doctype html>
<html lang="{language}" dir="{direction}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title><link rel="stylesheet" href="/shop.css">
<header><b>{name}</b>{"".join(f"<span>{way}</span>" for way in ways)}</header>
<main><h1>{head}</h1><p>{text}</p><a class="go">{go}</a>
<div class="cards">{"".join(f"<div><b>{one}</b>{two}</div>" for one, two in cards)}</div></main>
<script async src="{bot}/widget.js" data-title="{title}" data-accent="{ACCENT}"
    data-locale="{language}"></script>
</html>"""


def clerk() -> Bot:
    """Knows what the pictures ask."""
    bot = Bot(middleware=())

    @bot.hand_off
    async def hand_off(turn: Turn, reason: str) -> str:
        return "Marta from the pier will be with you in a minute."

    @bot.started
    async def greet(turn: Turn) -> str:
        if turn.user.locale.startswith("ar"):
            return "مرحباً! كيف يمكنني مساعدتك؟"
        return "Hello! I know our bikes, tours and prices. What are you looking for?"

    @bot.message("children")
    async def children() -> Reply:
        return Reply(
            RENTAL,
            buttons=(Button("Book now", id="book", style="primary"), Button("See the map", id="m")),
            suggestions=("Do you deliver?", "And in winter?"),
            feedback=True,
        )

    @bot.message("الأطفال")
    async def arabic() -> Reply:
        return Reply(
            ARABIC,
            buttons=(Button("احجز الآن", id="book", style="primary"),),
            suggestions=("هل توصّلون؟", "أين أنتم؟"),
            feedback=True,
        )

    @bot.message("API")
    async def api(turn: Turn) -> Reply:
        async def pieces() -> AsyncIterator[str]:
            yield SNIPPET

        return Reply(await turn.stream(pieces()), feedback=True)

    return bot


async def visit(chromium: Browser, url: str, **context: Any) -> Widget:
    """Somebody in Britain looks at the shop."""
    return await chromium.visit(url, locale="en-GB", reduced_motion="reduce", **context)


async def ask(widget: Widget, text: str) -> None:
    """Open, be greeted, ask, and see all of the answer; nothing has the focus's ring."""
    await widget.open()
    await widget.answered(1)
    await widget.say(text)
    await widget.answered(2)
    await widget.field.evaluate("(field) => field.blur()")
    await widget.page.mouse.move(2, 2)
    await asyncio.sleep(0.6)  # what fades has faded


async def pictures(folder: Path) -> None:
    """Write them all."""

    async def keep(widget: Widget, name: str) -> None:
        path = folder / f"widget-{name}.png"
        await widget.page.screenshot(path=path)
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")

    async with (
        site() as shop,
        browsing("--font-render-hinting=none") as chromium,
        web_bot(ScriptedCompletion(), clerk(), origins=(shop.origin(),)) as bot,
    ):
        await _shop(shop, bot.address)
        english, arabic = f"{shop.origin()}/en", f"{shop.origin()}/ar"

        widget = await visit(chromium, english, viewport=DESKTOP)
        await widget.launcher.wait_for()
        await keep(widget, "launcher")
        await ask(widget, "Do you have bikes for children?")
        await keep(widget, "conversation")

        widget = await visit(chromium, english, viewport=DESKTOP, color_scheme="dark")
        await ask(widget, "How do I book through the API?")
        await keep(widget, "dark")

        widget = await visit(
            chromium, english, viewport=PHONE, device_scale_factor=1.5, has_touch=True
        )
        await ask(widget, "Do you have bikes for children?")
        await keep(widget, "mobile")

        widget = await visit(chromium, arabic, viewport=DESKTOP)
        await ask(widget, "هل لديكم درّاجات الأطفال؟")
        await keep(widget, "rtl")


async def _shop(shop: Site, bot: str) -> None:
    shop.add("/shop.css", STYLE, kind="text/css")
    shop.add("/en", page(ENGLISH, bot, "en", "Ask Harbour"))
    shop.add("/ar", page(IN_ARABIC, bot, "ar", "اسأل الميناء"))
