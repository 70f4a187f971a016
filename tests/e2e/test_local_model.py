"""What botkit promises of the model that runs in the process, on the real one."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import counted_server
import pytest
import requests
from local_model import MODEL, LocalServer, environment, local_home, serving_local

FRANCE = "What is the capital of France?"
STORY = "Tell me a long story about a lighthouse."


def ask(url: str, question: str, **fields: Any) -> str:
    reply = requests.post(f"{url}/v1/chat/completions", json=chat(question, **fields), timeout=120)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["choices"][0]["message"]["content"])


def chat(question: str, **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": question}], **fields}


def on_terminal(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "botkit", "chat", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(home),
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_capital_of_france_on_the_terminal() -> None:
    assert "Paris" in on_terminal(local_home(), FRANCE)


def test_the_server_says_what_the_terminal_says(local_server: LocalServer) -> None:
    asked = ["--seed", "5", "--temperature", "1", "--max-tokens", "24", STORY]
    alone = on_terminal(local_server.home, *asked)
    assert on_terminal(local_server.home, "--url", local_server.url, *asked) == alone
    other = ask(local_server.url, STORY, seed=6, temperature=1, max_tokens=24)
    assert other.strip() != alone.strip()


def test_a_seed_gives_the_same_reply_among_six_others(local_server: LocalServer) -> None:
    url = local_server.url

    def mine() -> str:
        return ask(url, STORY, seed=11, temperature=1, max_tokens=40)

    alone = mine()
    assert mine() == alone
    # Others of all kinds: other lengths, other sampling, ending at other times.
    others: list[dict[str, Any]] = [
        {"question": FRANCE, "temperature": 0, "max_tokens": 4},
        {"question": STORY, "temperature": 1, "max_tokens": 60},
        {"question": STORY * 12, "temperature": 0.7, "top_k": 5, "max_tokens": 30},
        {"question": "Count to ten.", "temperature": 1, "n": 2, "max_tokens": 20},
        {"question": FRANCE * 3, "frequency_penalty": 1, "logprobs": True, "max_tokens": 25},
        {"question": "Hello!", "top_p": 0.5, "max_tokens": 50},
    ]
    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(ask, url, **other) for other in others]
        first = pool.submit(mine)
        time.sleep(0.5)
        second = pool.submit(mine)
        assert first.result() == alone
        assert second.result() == alone
        assert all(other.result() for other in running)


def test_a_client_that_leaves_stops_its_generation_within_one_dispatch(tmp_path: Path) -> None:
    script = counted_server.__file__
    with serving_local(local_home(), tmp_path / "log", str(script)) as server:

        def counters() -> dict[str, int]:
            found: dict[str, int] = requests.get(f"{server.url}/counters", timeout=10).json()
            return found

        asked = chat(STORY, stream=True, max_tokens=1000, temperature=1, seed=3)
        asked["logit_bias"] = {"2": -100, "0": -100}  # never end on your own
        with requests.post(
            f"{server.url}/v1/chat/completions", json=asked, stream=True, timeout=60
        ) as reply:
            lines = (line for line in reply.iter_lines() if line)
            for _ in range(6):
                next(lines)
            running = counters()
            assert (running["active"], running["cancelled"]) == (1, 0)
        deadline = time.monotonic() + 10
        while counters()["active"] and time.monotonic() < deadline:
            time.sleep(0.02)
        stopped = counters()
        assert (stopped["active"], stopped["cancelled"], stopped["finished"]) == (0, 1, 0)
        assert stopped["left_at"] > 0
        assert stopped["decode_dispatches"] - stopped["left_at"] <= 1
        time.sleep(1)
        assert counters()["decode_dispatches"] == stopped["decode_dispatches"]


def test_a_second_start_compiles_nothing(local_server: LocalServer, tmp_path: Path) -> None:
    def compiled() -> dict[str, int]:
        files = (local_server.home / "compiled").iterdir()
        return {file.name: file.stat().st_mtime_ns for file in files}

    asked: dict[str, Any] = {"temperature": 0, "max_tokens": 12}
    first = ask(local_server.url, FRANCE, **asked)
    before = compiled()
    assert before
    with serving_local(local_server.home, tmp_path / "log", BOTKIT_CONTEXT="512") as second:
        assert ask(second.url, FRANCE, **asked) == first
        assert "is ready after" in second.log.read_text()
    assert compiled() == before


@pytest.mark.parametrize("stop", ["e is P", ["no such text", "e is P", "another", "a third"]])
def test_a_stop_text_across_tokens_ends_the_reply(
    local_server: LocalServer, stop: str | list[str]
) -> None:
    asked: dict[str, Any] = {"temperature": 0, "max_tokens": 20}
    whole = ask(local_server.url, FRANCE, **asked)
    assert ask(local_server.url, FRANCE, **asked, stop=stop) == whole[: whole.index("e is P")]
