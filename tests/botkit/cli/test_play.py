"""`botkit play` in a pipe: what is said, heard, pressed and seen on each platform."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

BOT = """
from botkit import Bot, Button, File, Reply, Turn

bot = Bot()

@bot.command("order", description="Order a drink")
async def order(turn: Turn, drink: str) -> Reply:
    turn.state["drink"] = drink
    menu = Button("Menu", url="https://example.com/menu")
    return Reply(f"One {drink}?", buttons=(Button("Yes", id="confirm"), menu))

@bot.action("confirm")
async def confirm(state: dict) -> str:
    return f"Your {state['drink']} is coming."

@bot.command("report")
async def report(turn: Turn) -> Reply:
    image = File("cat.png", b"image", "image/png")
    return Reply("Here.", files=(File("report.pdf", b"pdf"), image))

@bot.command("fail")
async def fail(turn: Turn) -> str:
    raise ValueError("no such drink")

@bot.message("^quiet$")
async def quiet(turn: Turn) -> None:
    return None

@bot.message("^count$")
async def count(turn: Turn) -> str:
    turn.state["count"] = turn.state.get("count", 0) + 1
    return f"That was number {turn.state['count']}."

@bot.started
async def welcome() -> Reply:
    return Reply("Welcome!", suggestions=("Tell a joke", "Sing"))
"""

EVERYWHERE = [
    ("telegram",),
    ("telegram", "--polling"),
    ("telegram", "--in", "group"),
    ("telegram", "--in", "group", "--polling"),
    ("slack",),
    ("slack", "--socket-mode"),
    ("slack", "--in", "channel"),
    ("slack", "--in", "channel", "--socket-mode"),
]
PRIVATE = [("telegram",), ("slack",)]


@pytest.fixture
def bot(tmp_path: Path) -> str:
    file = tmp_path / "bot.py"
    file.write_text(BOT)
    return str(file)


@pytest.fixture
def play(botkit_command, bot: str):
    """Say lines on a platform; what is printed."""

    def run(*arguments: str, says: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
        platform, *options = arguments
        done = botkit_command.run("play", platform, bot, *options, stdin=says.encode(), **variables)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.mark.parametrize("arguments", EVERYWHERE, ids=" ".join)
def test_it_answers_and_remembers(play, arguments: tuple[str, ...]) -> None:
    said = play(*arguments, says="hello\ncount\n\ncount\n").stdout.decode()
    thread = " (in the thread)" if "channel" in arguments else ""
    assert said == (
        f"Alice: hello\nbot{thread}: hello\n"
        f"Alice: count\nbot{thread}: That was number 1.\n"
        f"Alice: count\nbot{thread}: That was number 2.\n"
    )


def test_without_a_file_the_model_alone_answers(botkit_command) -> None:
    done = botkit_command.run("play", "telegram", "--as", "Ada", stdin=b"good day")
    assert done.stdout == b"Ada: good day\nbot: good day\n"


SHARED = (("telegram", "--in", "group"), ("slack", "--in", "channel"))


@pytest.mark.parametrize("arguments", [*PRIVATE, *SHARED], ids=" ".join)
def test_commands_and_buttons(play, arguments: tuple[str, ...]) -> None:
    done = play(*arguments, says="/order tea\n[Yes]\n[Menu]\n[No]\n")
    mark = " (only you see this)" if "channel" in arguments else ""
    assert done.stdout.decode() == (
        f"Alice: /order tea\nbot{mark}: One tea? [Yes] [Menu]\n"
        f"Alice: [Yes]\nbot{mark}: Your tea is coming.\n"
        "Alice: [Menu]\nAlice: [No]\n"
    )
    assert b"[Menu] opens https://example.com/menu\n" in done.stderr
    assert b"there is no button [No]\n" in done.stderr


@pytest.mark.parametrize("arguments", PRIVATE, ids=" ".join)
def test_files_are_shown_by_name(play, arguments: tuple[str, ...]) -> None:
    said = play(*arguments, says="/report\n").stdout.decode()
    assert "<report.pdf>" in said
    assert "<cat.png>" in said


def test_privacy_mode_hides_what_does_not_mention_the_bot(play) -> None:
    done = play("telegram", "--in", "group", says="~ between us\n~ @test_bot hi\n@test_bot ho\n")
    assert done.stdout.decode() == (
        "Alice: ~ between us\nAlice: ~ @test_bot hi\nbot: hi\nAlice: @test_bot ho\nbot: ho\n"
    )
    assert b"the bot does not see this" in done.stderr


def test_in_a_channel_the_bot_answers_mentions_and_in_its_threads(play) -> None:
    done = play("slack", "--in", "channel", says="~ psst\n@bot, hi\n~ and you?\n+ ~ else\n+ ho\n")
    assert done.stdout.decode() == (
        "Alice: ~ psst\nAlice: @bot, hi\nbot (in the thread): hi\n"
        "Alice: ~ and you?\nbot (in the thread): and you?\n"
        "Alice: + ~ else\nAlice: + ho\nbot (in the thread): ho\n"
    )
    assert done.stderr.count(b"takes no notice: it was not addressed") == 2


def test_a_new_thread_is_a_new_conversation(play) -> None:
    said = play("slack", "--in", "channel", says="count\ncount\n+ count\n").stdout.decode()
    assert [line[-2] for line in said.splitlines() if line.startswith("bot")] == ["1", "2", "1"]


def test_the_assistants_pane_greets_and_suggests(play) -> None:
    said = play("slack", "--in", "assistant", says="[Sing]\n").stdout.decode()
    assert said == (
        "bot: Welcome!\nbot (suggests): [Tell a joke] [Sing]\nAlice: [Sing]\nbot: Sing\n"
    )


def test_markup_of_slacks_is_text(play) -> None:
    said = play("slack", says="a < b & <@U0BOT>\n").stdout.decode()
    assert said == "Alice: a < b & <@U0BOT>\nbot: a < b & <@U0BOT>\n"


def test_no_reply_is_said_so(play) -> None:
    done = play("telegram", says="quiet\n")
    assert done.stdout == b"Alice: quiet\n"
    assert done.stderr.endswith(b"no reply\n")


def test_help_lists_commands_unless_the_bot_has_its_own(play, botkit_command, tmp_path) -> None:
    done = play("telegram", says="/help\n")
    assert b"/order        Order a drink\n" in done.stderr
    own = tmp_path / "own.py"
    own.write_text(
        "from botkit import Bot\nbot = Bot()\n\n@bot.command('help')\nasync def help_() -> str:\n"
        "    return 'Help yourself.'\n"
    )
    done = botkit_command.run("play", "telegram", str(own), stdin=b"/help")
    assert done.stdout == b"Alice: /help\nbot: Help yourself.\n"


def test_a_failing_handler_is_shown_by_its_line(play, bot: str) -> None:
    done = play("telegram", says="/fail\nhello\n")
    errors = done.stderr.decode()
    line = BOT.splitlines().index('    raise ValueError("no such drink")') + 1
    assert f"{bot}, line {line}: ValueError: no such drink\n" in errors
    assert "Traceback" not in errors
    assert "Sorry" in done.stdout.decode()
    assert done.stdout.endswith(b"bot: hello\n")


def test_real_platforms_and_the_real_database_are_left_alone(play, tmp_path: Path) -> None:
    database = tmp_path / "real.db"
    done = play(
        "telegram",
        says="hello\n",
        SLACK_BOT_TOKEN="xoxb-real",
        SLACK_APP_TOKEN="xapp-real",
        SLACK_API_BASE_URL="http://127.0.0.1:9/",
        TELEGRAM_BOT_TOKEN="1:real",
        TELEGRAM_API_BASE_URL="http://127.0.0.1:9/bot",
        BOTKIT_PUBLIC_URL="https://bot.example.com",
        BOTKIT_DATABASE_URL=f"sqlite:///{database}",
        BOTKIT_TRIGGER="http",
    )
    assert done.stdout == b"Alice: hello\nbot: hello\n"
    assert done.stderr.count(b"\n") == 2  # nothing but the two lines at the start
    assert not database.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("telegram", "--in", "dm"), "--in dm: on telegram there are private, group"),
        (("slack", "--in", "group"), "--in group: on slack there are dm, channel, assistant"),
        (("slack", "--polling"), "--polling is for telegram"),
        (("telegram", "--socket-mode"), "--socket-mode is for slack"),
        (("slack", "--as", " "), "--as: a person has a name"),
        (("irc",), "'irc' is not one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_combinations_are_wrong_usage(
    botkit_command, arguments: tuple[str, ...], reason: str
) -> None:
    done = botkit_command.run("play", *arguments)
    assert done.returncode == 2
    assert reason in done.stderr.decode()


def test_a_model_that_is_not_there_is_one_sentence(botkit_command) -> None:
    done = botkit_command.run("play", "telegram", stdin=b"hello", BOTKIT_COMPLETION="nope")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"there is no completion 'nope'" in done.stderr
    assert b"Traceback" not in done.stderr


def test_bytes_that_are_no_text_are_no_traceback(botkit_command) -> None:
    done = botkit_command.run("play", "telegram", stdin=b"caf\xe9\n")
    assert done.returncode == 0
    assert done.stdout.decode() == "Alice: caf�\nbot: caf�\n"
