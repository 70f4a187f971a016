"""The chat page in a real browser, against a real server over a scripted completion."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from browser import ARGUMENTS, CHROMIUM, skip_without_browser

from botkit.completion import ChatCompletionRequest, message_text
from botkit.completion.script import Broken
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.text import TextCompletionRequest
from botkit.errors import CompletionUnavailableError, ContextLengthError, OverloadedError
from botkit.server import SERVICE, create_app, listening
from botkit.server.page import CSP, PAGE

skip_without_browser()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")

MARKUP = "<img src=x onerror=\"document.title='owned'\"> <b>bold</b> & &amp;"


class Chat:
    """The page as a reader uses it, and what went wrong inside it."""

    def __init__(self, page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    async def say(self, text: str) -> None:
        await self.page.get_by_label("Your message").fill(text)
        await self.page.keyboard.press("Enter")

    def messages(self, role: str):
        return self.page.locator(f"#log .message.{role}")

    async def reply(self, text: str, number: int = -1) -> None:
        """Wait until a finished reply reads so."""
        entry = self.messages("assistant").nth(number)
        await playwright.expect(entry).to_have_text(text)
        await playwright.expect(entry).to_have_attribute("aria-busy", "false")


Open = Callable[..., "asyncio.Future[Chat]"]


@pytest.fixture
async def open_chat() -> AsyncIterator[Open]:
    """Serve a completion and open its page."""
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(playwright.async_playwright())
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        stack.push_async_callback(browser.close)
        opened: list[Chat] = []

        async def begin(completion, *, api_keys=(), start=True, **context) -> Chat:
            app = create_app(completion, api_keys=api_keys, page=PAGE)
            address = await stack.enter_async_context(listening(app, drain_seconds=0))
            if start:
                await app[SERVICE].start()
            page = await (await browser.new_context(**context)).new_page()
            page.set_default_timeout(10_000)
            chat = Chat(page)
            opened.append(chat)
            page.on("request", lambda sent: chat.foreign.append(sent.url))
            await page.goto(address)
            chat.foreign = [url for url in chat.foreign if not url.startswith((address, "data:"))]
            return chat

        yield begin
        for chat in opened:
            assert chat.faults == []
            assert [url for url in chat.foreign if "127.0.0.1" not in url] == []


def transcript(request: ChatCompletionRequest | TextCompletionRequest) -> str:
    assert isinstance(request, ChatCompletionRequest)
    return "|".join(f"{message.role}:{message_text(message)}" for message in request.messages)


async def test_a_reply_streams_into_the_page(open_chat) -> None:
    gate = asyncio.Event()
    chat = await open_chat(ScriptedCompletion(replies=["one two three"], gate=gate))
    await chat.say("count")
    reply = chat.messages("assistant")
    await playwright.expect(reply).to_have_attribute("aria-busy", "true")
    await playwright.expect(reply).to_have_text("")
    gate.set()
    await chat.reply("one two three")
    await playwright.expect(chat.messages("user")).to_have_text("count")
    await playwright.expect(chat.page.locator("#model")).to_have_text("scripted")


async def test_text_appears_before_the_reply_is_whole(open_chat) -> None:
    completion = ScriptedCompletion(replies=["tick " * 200], delay=0.05)
    chat = await open_chat(completion)
    await chat.say("go")
    reply = chat.messages("assistant")
    await playwright.expect(reply).to_have_text(re.compile("tick tick tick"))
    await playwright.expect(reply).to_have_attribute("aria-busy", "true")
    assert completion.counts.running == 1


async def test_the_conversation_is_remembered_until_a_new_one(open_chat) -> None:
    chat = await open_chat(ScriptedCompletion(replies=transcript))
    await chat.say("one")
    await chat.reply("user:one")
    await chat.say("two")
    await chat.reply("user:one|assistant:user:one|user:two")
    await chat.page.get_by_role("button", name="New chat").click()
    await playwright.expect(chat.messages("user")).to_have_count(0)
    await chat.say("three")
    await chat.reply("user:three")


async def test_stop_ends_the_generation_and_keeps_what_was_written(open_chat) -> None:
    def reply(request: ChatCompletionRequest | TextCompletionRequest) -> str:
        return transcript(request) if "again" in transcript(request) else "tick " * 600

    completion = ScriptedCompletion(replies=reply, delay=0.03)
    chat = await open_chat(completion)
    await chat.say("go")
    entry = chat.messages("assistant")
    await playwright.expect(entry).to_have_text(re.compile("tick tick"))
    await chat.page.get_by_role("button", name="Stop the reply").click()
    await playwright.expect(entry).to_have_attribute("aria-busy", "false")
    async with asyncio.timeout(5):
        while not completion.counts.cancelled:  # noqa: ASYNC110 - a counter gives no signal
            await asyncio.sleep(0.02)
    assert completion.counts.running == 0
    await chat.say("again")
    pattern = re.compile(r"user:go\|assistant:tick tick[tick ]*\|user:again")
    await playwright.expect(chat.messages("assistant").nth(1)).to_have_text(pattern)


async def test_markup_is_text(open_chat) -> None:
    chat = await open_chat(ScriptedCompletion(replies=[MARKUP]))
    await chat.say(MARKUP)
    await chat.reply(MARKUP)
    await playwright.expect(chat.messages("user")).to_have_text(MARKUP)
    assert await chat.page.locator("#log img, #log b").count() == 0
    assert await chat.page.title() == "botkit"


async def test_the_policy_lets_no_other_script_run_and_no_other_host_be_asked(open_chat) -> None:
    chat = await open_chat(ScriptedCompletion())
    blocked = await chat.page.evaluate(
        """async () => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation",
                (event) => blocked.push(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "document.title = 'owned'";
            document.body.append(script);
            await fetch("http://other.invalid/").catch(() => {});
            await new Promise((resolve) => setTimeout(resolve, 100));
            return blocked;  // once for the header, once for the document
        }"""
    )
    assert set(blocked) == {"connect-src", "script-src-elem"}
    assert await chat.page.title() == "botkit"
    assert "unsafe" not in CSP


async def test_a_message_waits_for_the_model_to_wake(open_chat) -> None:
    completion = ScriptedCompletion(replies=["awake"])
    chat = await open_chat(completion, start=False)
    status = chat.page.get_by_role("status")
    await playwright.expect(status).to_contain_text("Waking up")
    await chat.say("hello?")
    await playwright.expect(chat.messages("assistant")).to_have_attribute("aria-busy", "true")
    await completion.start()
    await chat.reply("awake")
    await playwright.expect(status).to_be_hidden()


async def test_a_key_is_asked_for_only_when_the_server_wants_one(open_chat) -> None:
    chat = await open_chat(ScriptedCompletion(replies=["hello"]))
    await chat.say("hi")
    await chat.reply("hello")
    await playwright.expect(chat.page.locator("#keyform")).to_be_hidden()


async def test_with_the_right_key_the_waiting_message_is_answered(open_chat) -> None:
    chat = await open_chat(ScriptedCompletion(replies=["welcome"]), api_keys=("right",))
    field = chat.page.get_by_label("API key")
    await playwright.expect(field).to_be_visible()
    await chat.say("hi")
    await field.fill("wrong")
    await chat.page.keyboard.press("Enter")
    await playwright.expect(chat.page.locator("#keyform label")).to_contain_text("not accepted")
    await field.fill("right")
    await chat.page.keyboard.press("Enter")
    await chat.reply("welcome")
    await playwright.expect(chat.page.locator("#keyform")).to_be_hidden()


async def test_an_error_is_shown_and_the_question_can_be_asked_again(open_chat) -> None:
    busy = OverloadedError("64 requests wait already.", retry_after=1)
    chat = await open_chat(ScriptedCompletion(replies=[busy, "now it works"]))
    await chat.say("hi")
    await playwright.expect(chat.page.get_by_role("alert")).to_contain_text("64 requests wait")
    await chat.page.get_by_role("button", name="Try again").click()
    await chat.reply("now it works")
    await playwright.expect(chat.page.get_by_role("alert")).to_have_count(0)


async def test_an_unanswered_question_is_not_sent_again_with_the_next(open_chat) -> None:
    busy = OverloadedError("busy", retry_after=1)

    def reply(request: ChatCompletionRequest | TextCompletionRequest):
        return busy if transcript(request) == "user:one" else transcript(request)

    chat = await open_chat(ScriptedCompletion(replies=reply))
    await chat.say("one")
    await playwright.expect(chat.page.get_by_role("alert")).to_be_visible()
    await chat.say("two")
    await chat.reply("user:two")


async def test_a_reply_that_breaks_off_keeps_its_text_beside_the_error(open_chat) -> None:
    broken = Broken("half a", CompletionUnavailableError("the model is gone"))
    chat = await open_chat(ScriptedCompletion(replies=[broken, "a whole one"]))
    await chat.say("hi")
    await playwright.expect(chat.page.get_by_role("alert")).to_contain_text("the model is gone")
    await playwright.expect(chat.messages("assistant")).to_have_text("half a")
    await chat.page.get_by_role("button", name="Try again").click()
    await chat.reply("a whole one")
    await playwright.expect(chat.messages("assistant")).to_have_count(1)


async def test_a_full_context_forgets_the_oldest(open_chat) -> None:
    def reply(request: ChatCompletionRequest | TextCompletionRequest):
        assert isinstance(request, ChatCompletionRequest)
        if len(request.messages) > 3:
            return ContextLengthError(limit=3, prompt_tokens=5, reply_tokens=1)
        return "; ".join(message_text(message) for message in request.messages)

    chat = await open_chat(ScriptedCompletion(replies=reply))
    await chat.say("a")
    await chat.reply("a")
    await chat.say("b")
    await chat.reply("a; a; b")
    await chat.say("c")
    await chat.reply("b; a; a; b; c")
    notes = chat.page.locator(".note")
    await playwright.expect(notes).to_have_text(re.compile("oldest part was forgotten"))


async def test_the_keyboard_is_enough(open_chat) -> None:
    chat = await open_chat(ScriptedCompletion(replies=["tick " * 600], delay=0.02))
    keyboard = chat.page.keyboard
    await playwright.expect(chat.page.get_by_label("Your message")).to_be_focused()
    await keyboard.type("line one")
    await keyboard.press("Shift+Enter")
    await keyboard.type("line two")
    await keyboard.press("Enter")
    await playwright.expect(chat.messages("user")).to_have_text("line one\nline two")
    await playwright.expect(chat.messages("assistant")).to_have_text(re.compile("tick"))
    await keyboard.press("Escape")
    await playwright.expect(chat.messages("assistant")).to_have_attribute("aria-busy", "false")
    await playwright.expect(chat.page.get_by_label("Your message")).to_be_focused()
    await playwright.expect(chat.page.get_by_role("log", name="Conversation")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_overflows_on_any_screen(open_chat, scheme: str) -> None:
    chat = await open_chat(ScriptedCompletion(replies=["unbreakable" * 60]), color_scheme=scheme)
    await chat.say("x" * 400)
    await chat.reply("unbreakable" * 60)
    for width in (320, 390, 1280):
        await chat.page.set_viewport_size({"width": width, "height": 700})
        assert await chat.page.evaluate("document.documentElement.scrollWidth") <= width
    colours = await chat.page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    text, ground = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert (text > ground) == (scheme == "dark")
