"""What an event looks like on its way to the app (https://docs.slack.dev/apis/events-api)."""

from __future__ import annotations

import time
import uuid
from typing import Any

from botkit.testing.slack.state import Channel, Json, Posted, State


def envelope(state: State, event: Json) -> Json:
    """An event in its wrapper."""
    stamp = event.get("ts") or f"{time.time():.6f}"
    return {
        "token": "legacy",
        "team_id": state.team,
        "context_team_id": state.team,
        "context_enterprise_id": None,
        "api_app_id": state.app_id,
        "event": {"event_ts": stamp, **event},
        "type": "event_callback",
        "event_id": f"Ev{next(state.numbers):08d}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.team,
                "user_id": state.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"1-{event['type']}-{state.team}",
    }


def message_event(channel: Channel, posted: Posted) -> Json:
    """A message of a channel."""
    kind = "im" if channel.direct else "channel"
    return {**posted.data, "channel": channel.id, "channel_type": kind}


def typed(text: str) -> Json:
    """What Slack adds to what a person types."""
    return {
        "client_msg_id": str(uuid.uuid4()),
        "text": text,
        "blocks": [{"type": "rich_text", "block_id": "typed", "elements": [_line(text)]}],
    }


def _line(text: str) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
