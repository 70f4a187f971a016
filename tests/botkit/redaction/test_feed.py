"""What a feed keeps where redaction is on."""

from __future__ import annotations

from botkit.redaction.kept import redacted_entry
from botkit.store import open_store
from botkit.types import ConversationKey

HERE = ConversationKey("web", "site", "s1")
SAID = {"role": "user", "id": "2f1c", "text": "I am ada@example.com", "reply_to": "a@b.example"}


async def test_it_is_kept_redacted_and_shown_whole_to_those_who_are_there() -> None:
    store = await open_store("sqlite:///:memory:")
    feed = store.feed_of(redacted_entry)
    added = await feed.append(HERE, "m1", SAID)
    assert added is not None
    assert added[1].value == SAID
    kept = await feed.entry(HERE, "m1")
    assert kept is not None
    assert kept.value == {**SAID, "text": "I am [email]"}
    again = await feed.append(HERE, "m1", {**SAID, "text": "another"})
    assert again is not None
    assert again[1].value == kept.value
    assert await feed.append(HERE, "m2", SAID, at=7) is None
    head = await feed.tell(HERE, {"draft": "d1", "text": "you are ada@example.com"})
    assert head.live == {"draft": "d1", "text": "you are [email]"}
    await store.aclose()


def test_ids_stay_as_they_are() -> None:
    value = {
        "id": "4111111111111111",
        "files": [{"name": "ada@example.com.txt", "url": "/f?k=4111111111111111"}],
        "suggestions": ["mail ada@example.com"],
        "buttons": [{"label": "ada@example.com", "value": "ada@example.com"}],
        "seq": 3,
    }
    kept = redacted_entry(value)
    assert kept["id"] == value["id"]
    assert kept["files"][0]["url"] == "/f?k=4111111111111111"
    assert "ada@" not in kept["files"][0]["name"]
    assert kept["suggestions"] == ["mail [email]"]
    assert kept["buttons"] == [{"label": "[email]", "value": "ada@example.com"}]
