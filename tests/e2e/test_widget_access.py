"""The widget for those who cannot see it, cannot use a mouse, or read from the right."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from browser import skip_without_browser
from widget_axe import FOLDER, violations
from widget_bot import web_bot
from widget_page import Browser, Widget, skip_without_widget
from widget_site import Site, embedding

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.replies import Button, Reply
from botkit.turn import Turn

skip_without_browser()
skip_without_widget()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

RICH = """## Opening hours

We are open **every day**, see [the map](https://shop.example/map) or call `+351 21 000`.

| Day | From | To |
| :-- | --: | --: |
| Monday | 9:00 | 18:00 |
| Sunday | 10:00 | 14:00 |

1. Ring the bell.
2. Wait:
   - in the hall, or
   - [x] outside

> Dogs are welcome.

```python
def hours(day: str) -> str:
    return "9-18" if day != "Sunday" else "10-14"  # a line that is too long for a small panel
```
"""
ARABIC = "نحن نفتح **كل يوم** من الساعة `9:00` إلى الساعة 18:00.\n\n- الاثنين\n- الأحد"


def shopkeeper(gate: asyncio.Event) -> Bot:
    """A bot with everything that a reply may have; a long one waits for ``gate``."""
    bot = Bot()

    @bot.hand_off
    async def hand_off(turn: Turn, reason: str) -> str:
        return "Somebody will be with you soon."

    @bot.message("hours")
    async def hours() -> Reply:
        return Reply(
            RICH,
            buttons=(
                Button("Book a visit", id="book", style="primary"),
                Button("Cancel it all", id="cancel", style="danger"),
                Button("The map", url="https://shop.example/map"),
            ),
            suggestions=("Where are you?", "Do you deliver?"),
            feedback=True,
        )

    @bot.message("arabic")
    async def arabic() -> Reply:
        return Reply(ARABIC, suggestions=("أين أنتم؟",), feedback=True)

    @bot.message("long")
    async def long(turn: Turn) -> AsyncIterator[str]:
        for number in range(30):
            yield f"word{number} "
            await asyncio.sleep(0.01)
        yield "and\n\n```python\nprint("
        await gate.wait()
        yield "'done')\n```\n"

    @bot.message("think")
    async def think(turn: Turn) -> AsyncIterator[str]:
        await gate.wait()
        yield "Thought."

    @bot.message("short")
    async def short() -> Reply:
        return Reply("A **short** reply.", feedback=True)

    return bot


class Room:
    """A shop with the widget."""

    def __init__(self, chromium: Browser, shop: Site, address: str, gate: asyncio.Event) -> None:
        self.chromium = chromium
        self.shop = shop
        self.address = address
        self.gate = gate

    async def enter(
        self, *, inline: bool = False, data: dict[str, str] | None = None, **context: Any
    ) -> Widget:
        data = data or {}
        body = "<h1>The shop</h1><p>Welcome. <a href='/more'>More</a></p>"
        if inline:
            body += "<botkit-chat></botkit-chat>"
            data = {**data, "launcher": "off"}
        self.shop.add("/", embedding(self.address, body=body, **data))
        widget = await self.chromium.visit(f"{self.shop.origin()}/", **context)
        await (widget.field if inline else widget.launcher).wait_for()
        return widget


@pytest_asyncio.fixture(loop_scope="module")
async def room(chromium: Browser, shop: Site) -> AsyncIterator[Room]:
    gate = asyncio.Event()
    async with web_bot(ScriptedCompletion(), shopkeeper(gate), origins=(shop.origin(),)) as bot:
        yield Room(chromium, shop, bot.address, gate)
        gate.set()


async def still(widget: Widget) -> None:
    """Wait until nothing moves: axe measures colours while they fade."""
    await widget.page.mouse.move(1, 1)
    await widget.page.evaluate(
        """async () => {
            const roots = [document, ...[...document.querySelectorAll('*')]
                .map((each) => each.shadowRoot).filter(Boolean)];
            const moving = () => roots.flatMap((root) => root.getAnimations({subtree: true}))
                .filter((each) => each.effect.getComputedTiming().iterations !== Infinity);
            const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
            do {
                await Promise.all(moving().map((each) => each.finished.catch(() => {})));
                await frame();  // one that ends may begin another
                await frame();
            } while (moving().length);
        }"""
    )


async def accessible(widget: Widget, state: str) -> None:
    await still(widget)
    found = await violations(widget.page)
    assert found == [], f"{state}: " + "\n".join(
        f"{each['id']} ({each['impact']}): {each['help']}\n  "
        + "\n  ".join(map(str, each["nodes"][:6]))
        for each in found
    )


LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "small": {"viewport": {"width": 360, "height": 640}, "has_touch": True},
    "forced colours": {"forced_colors": "active"},
    "arabic": {"data": {"locale": "ar"}},
    "inline": {"inline": True},
    "bright accent": {"data": {"accent": "#ffe14d"}},
    "dark with a dark accent": {"color_scheme": "dark", "data": {"accent": "#0a2a1a"}},
}


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing(room: Room, look: str) -> None:
    """Every state that a conversation passes through, in every look."""
    given = dict(LOOKS[look])
    widget = await room.enter(**given)
    if not given.get("inline"):
        await accessible(widget, "closed")
        await widget.open()
    await widget.answered(1)
    await accessible(widget, "open")
    await widget.say("arabic" if look == "arabic" else "hours")
    await widget.answered(2)
    await widget.part("suggestion").first.wait_for()
    await accessible(widget, "a conversation")
    await widget.part("feedback-down").last.click()
    await widget.part("feedback-comment").last.wait_for()
    await accessible(widget, "feedback")
    await widget.page.keyboard.press("Escape")
    await widget.part("menu").click()
    await widget.part("human").wait_for()
    await accessible(widget, "menu")
    await widget.page.keyboard.press("Escape")
    await widget.say("think")
    await widget.part("status").wait_for()
    await accessible(widget, "thinking")
    await widget.part("stop").click()
    await widget.idle()
    await widget.say("long")
    await playwright.expect(widget.body()).to_contain_text("word29")
    await accessible(widget, "streaming")
    await widget.part("stop").click()
    await widget.idle()
    await accessible(widget, "stopped")
    await widget.part("edit").last.click()
    await accessible(widget, "editing")
    await widget.page.keyboard.press("Escape")
    await widget.page.context.set_offline(True)
    await widget.part("banner").wait_for()
    await widget.say("short")
    await accessible(widget, "offline")
    await widget.page.context.set_offline(False)


async def test_axe_finds_nothing_where_something_went_wrong(room: Room) -> None:
    widget = await room.enter()
    await widget.open()
    await widget.part("picker").set_input_files(
        {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3" + bytes(100)}
    )
    await widget.part("objection").wait_for()
    await accessible(widget, "a file of the wrong kind")
    await widget.part("picker").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"}
    )
    await widget.part("attachment").wait_for()
    await accessible(widget, "a file to send")


# Keyboard

FOCUS = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    if (!at || at === document.body) return null;
    const box = at.getBoundingClientRect();
    const ring = (element) => {
        const style = getComputedStyle(element);
        return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0)
            || style.boxShadow !== 'none';
    };
    // The ring of a field may be around the box that it stands in.
    let visible = ring(at);
    const end = at.parentElement?.closest('.log, .panel');
    for (let one = at.parentElement; one && one !== end && !visible; one = one.parentElement)
        visible = ring(one);
    return {
        name: at.dataset?.part ?? at.localName,
        label: at.getAttribute('aria-label') ?? at.textContent.trim(),
        visible,
        seen: at.checkVisibility({opacityProperty: true, visibilityProperty: true})
            && box.width > 0 && box.height > 0,
        reached: at.matches(':focus-visible'),
    };
}"""


async def focus(widget: Widget) -> dict[str, Any]:
    """Where the focus is; that it can be seen there."""
    await still(widget)
    found: dict[str, Any] = await widget.page.evaluate(FOCUS) or {"name": ""}
    return found


async def tab(widget: Widget, key: str = "Tab") -> str:
    """Press it; the part that has the focus now, which has to be seen."""
    await widget.page.keyboard.press(key)
    found = await focus(widget)
    if found["name"]:
        assert found["reached"], f"the focus cannot be seen: {found}"
        assert found["visible"], f"the focus cannot be seen: {found}"
        assert found["seen"], f"what has the focus cannot be seen: {found}"
        assert found["label"] or found["name"] == "log", f"it has no name: {found}"
    return str(found["name"])


async def tab_to(widget: Widget, part: str, key: str = "Tab", within: int = 30) -> list[str]:
    """Tab until a part has the focus; the parts on the way."""
    way: list[str] = []
    while len(way) < within:
        way.append(await tab(widget, key))
        if way[-1] == part:
            return way
    raise AssertionError(f"{part} is not reached: {way}")


async def test_the_keyboard_is_enough(room: Room) -> None:
    widget = await room.enter()
    keyboard = widget.page.keyboard
    assert await tab_to(widget, "launcher") == ["a", "launcher"]
    await keyboard.press("Enter")
    await widget.answered(1)
    assert (await focus(widget))["name"] == "composer"
    await keyboard.type("short")
    await keyboard.press("Shift+Enter")
    await keyboard.type("and to the point")
    await keyboard.press("Enter")
    await widget.answered(2)
    await playwright.expect(widget.questions).to_have_text(re.compile("short\nand to the point"))
    assert (await focus(widget))["name"] == "composer"

    # Backwards, from where one writes to what was said last.
    way = await tab_to(widget, "copy-reply", "Shift+Tab")
    assert [each for each in way if each in ("retry", "feedback-down", "feedback-up")] == [
        *("retry", "feedback-down", "feedback-up")
    ], way
    await keyboard.press("Enter")  # copies
    assert await tab(widget) == "feedback-up"
    assert await tab(widget) == "feedback-down"
    await keyboard.press("Enter")
    await playwright.expect(widget.part("feedback-comment")).to_be_focused()
    await keyboard.type("Too short.")
    await keyboard.press("Escape")  # closes the form alone
    await playwright.expect(widget.part("feedback-form").last).to_be_hidden()
    await playwright.expect(widget.panel).to_be_visible()
    assert (await focus(widget))["name"] == "feedback-down"
    assert await widget.part("feedback-down").last.get_attribute("aria-pressed") == "true"
    assert await tab(widget) == "retry"
    await keyboard.press("Enter")
    await widget.idle()
    await playwright.expect(widget.questions).to_have_count(1)
    assert (await focus(widget))["name"] == "composer"

    # The menu: arrows, Escape, and the focus back on its button.
    await tab_to(widget, "menu", "Shift+Tab")
    await keyboard.press("Enter")
    assert (await focus(widget))["name"] == "restart"
    await keyboard.press("ArrowDown")
    assert (await focus(widget))["name"] == "human"
    await keyboard.press("ArrowDown")
    assert (await focus(widget))["name"] == "restart"
    await keyboard.press("Escape")
    assert (await focus(widget))["name"] == "menu"

    # Stop, by keyboard.
    await tab_to(widget, "composer")
    await keyboard.type("long")
    await keyboard.press("Enter")
    await playwright.expect(widget.body()).to_contain_text("word29")
    assert await tab(widget) == "stop"
    await keyboard.press("Enter")
    await widget.idle()
    await playwright.expect(widget.part("stopped").last).to_be_visible()
    assert (await focus(widget))["name"] == "composer"

    # Out of the panel, and closed: the focus is where it came from.
    await keyboard.press("Escape")
    await playwright.expect(widget.panel).to_be_hidden()
    assert (await focus(widget))["name"] == "launcher"
    assert await widget.launcher.get_attribute("aria-expanded") == "false"
    await keyboard.press("Space")
    await playwright.expect(widget.panel).to_be_visible()
    assert (await focus(widget))["name"] == "composer"


async def test_on_a_small_screen_the_focus_stays_in_the_panel(room: Room) -> None:
    widget = await room.enter(viewport={"width": 360, "height": 640})
    await widget.open()
    await widget.answered(1)
    assert await widget.panel.get_attribute("aria-modal") == "true"
    await still(widget)
    box = await widget.panel.bounding_box()
    assert box == pytest.approx({"x": 0, "y": 0, "width": 360, "height": 640}, abs=0.5)
    way = [await tab(widget) for _ in range(20)]
    assert "a" not in way
    assert "launcher" not in way
    assert "" not in way
    assert {"composer", "close"} <= set(way)
    await widget.part("close").click()
    await playwright.expect(widget.panel).to_be_hidden()
    assert (await focus(widget))["name"] == "launcher"


ANNOUNCEMENTS = """(root) => {
    window.__said = [];
    const live = (node) => node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    new MutationObserver((records) => {
        for (const record of records) {
            const region = live(record.target)?.closest('[aria-live], [role=status], [role=alert]');
            if (!region || region.getAttribute('aria-live') === 'off') continue;
            for (const node of record.addedNodes)
                if (node.textContent.trim())
                    window.__said.push([region.getAttribute('aria-live'), node.textContent]);
        }
    }).observe(root, {subtree: true, childList: true, characterData: true});
}"""


async def test_a_reply_is_announced_once_when_it_is_whole(room: Room) -> None:
    widget = await room.enter()
    await widget.open()
    await widget.answered(1)
    log = widget.part("log")
    assert await log.get_attribute("role") == "log"
    assert await log.get_attribute("aria-label")
    await widget.shadow(ANNOUNCEMENTS)
    await widget.say("long")
    await playwright.expect(widget.body()).to_contain_text("word29")
    assert await widget.page.evaluate("window.__said") == []
    room.gate.set()
    await widget.answered(2)
    await widget.page.wait_for_function("window.__said.length > 0")
    await widget.say("hours")
    await widget.answered(3)
    await widget.page.wait_for_function("window.__said.length > 1")
    await still(widget)
    said = await widget.page.evaluate("window.__said")
    assert [how for how, _ in said] == ["polite", "polite"]
    (_, long), (_, hours) = said
    assert re.search(r"word0 word1 .*word29 and\b.*print\('done'\)", long, re.DOTALL)
    # As it would be read: no marks, no buttons, and no words that run into each other.
    assert "Copy" not in long + hours
    assert "**" not in hours
    assert re.search(r"Opening hours\W+We are open every day", hours)
    assert re.search(r"Monday\W+9:00\W+18:00\W+Sunday\W+10:00", hours)


async def test_what_goes_wrong_is_announced_at_once(room: Room) -> None:
    widget = await room.enter()
    await widget.open()
    await widget.shadow(ANNOUNCEMENTS)
    await widget.part("picker").set_input_files(
        {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3" + bytes(100)}
    )
    await widget.page.wait_for_function(
        "window.__said.some(([how, text]) => how === 'assertive' && text.includes('song.mp3'))"
    )


async def test_motion_is_left_out_where_it_is_not_wanted(room: Room) -> None:
    widget = await room.enter(reduced_motion="reduce")
    await widget.open()
    await widget.answered(1)
    await widget.say("long")
    await playwright.expect(widget.body()).to_contain_text("word29")
    moving = await widget.page.evaluate(
        """() => document.querySelector('botkit-chat').shadowRoot.getAnimations({subtree: true})
            .filter((each) => each.playState === 'running'
                && each.effect.getComputedTiming().duration > 100)
            .map((each) => each.animationName ?? each.transitionProperty)"""
    )
    assert moving == []


LANGUAGES = sorted(
    {file.stem for file in (FOLDER / "src" / "languages").glob("*.ts")} - {"en", "index", "packed"}
)


async def test_every_language_fits(room: Room) -> None:
    """In the smallest panel, nothing is cut off or pushed out, and no language is another."""
    widget = await room.enter(data={"locale": "en"}, viewport={"width": 320, "height": 568})
    await widget.open()
    await widget.answered(1)
    await widget.say("hours")
    await widget.answered(2)
    spoken = {"en": await widget.field.get_attribute("placeholder")}
    assert len(LANGUAGES) + 1 >= 16
    for language in LANGUAGES:
        await widget.root.evaluate(
            "(element, locale) => element.setAttribute('data-locale', locale)", language
        )
        await widget.replies.nth(1).wait_for()
        spoken[language] = await widget.field.get_attribute("placeholder")
        direction = await widget.root.locator(".root").get_attribute("dir")
        assert direction == ("rtl" if language in ("ar", "he") else "ltr")
        wide = await widget.shadow(
            """(root) => [...root.querySelectorAll('.panel *:not(pre *, .table *)')]
                .filter((each) => each.checkVisibility() && !each.closest('.unseen'))
                .filter((each) => each.getBoundingClientRect().right > 321
                    || each.getBoundingClientRect().left < -1)
                .map((each) => each.outerHTML.slice(0, 200))"""
        )
        assert wide == [], language
    assert len(set(spoken.values())) == len(spoken), spoken
