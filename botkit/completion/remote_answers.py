"""What endpoints answer, made what the specification says.

Most servers that call themselves OpenAI-compatible leave out keys that are null (llama.cpp, Ollama,
TGI), have words of their own for how a reply ended (DeepSeek, Mistral, TGI), or send empty texts
where there is nothing (Azure's first chunk). None of that makes an answer worthless.
"""

from __future__ import annotations

from typing import Any, get_args

from botkit.completion.chat import ServiceTier

_FINISH_REASONS = {
    **dict.fromkeys(("eos", "eos_token", "end_turn", "stop_sequence", "end"), "stop"),
    **dict.fromkeys(("max_tokens", "model_length", "insufficient_system_resource"), "length"),
    **dict.fromkeys(("safety", "sensitive", "content_filtered"), "content_filter"),
}
_TIERS = get_args(ServiceTier)


def made_whole(answer: dict[str, Any]) -> dict[str, Any]:
    """A reply, a chunk of one, or the entry of a model, as an endpoint sent it, changed in place.

    What is no such thing at all comes back as it is: validation says so.
    """
    if answer.get("object") == "model":
        answer.setdefault("created", 0)
        answer.setdefault("owned_by", "")
    if not answer.get("object"):
        answer.pop("object", None)
    if answer.get("service_tier") not in _TIERS:
        answer.pop("service_tier", None)
    for place, choice in enumerate(_dicts(answer.get("choices"))):
        choice.setdefault("index", place)
        choice.setdefault("logprobs", None)
        reason = choice.get("finish_reason") or None
        if isinstance(reason, str):
            reason = _FINISH_REASONS.get(reason, reason)
        choice["finish_reason"] = reason
        _tokens_made_whole(choice["logprobs"])
        for part in ("message", "delta"):
            if isinstance(choice.get(part), dict):
                _message_made_whole(choice[part], part == "message")
    return answer


def _message_made_whole(message: dict[str, Any], complete: bool) -> None:
    if not message.get("role"):
        message.pop("role", None)
    # vLLM, SGLang and OpenRouter have had this name for what DeepSeek began.
    thought = message.pop("reasoning", None)
    if isinstance(thought, str) and thought:
        message.setdefault("reasoning_content", thought)
    if complete:
        message.setdefault("content", None)
        message.setdefault("refusal", None)
    for call in _dicts(message.get("tool_calls")):
        if not call.get("type"):
            call.pop("type", None)


def _tokens_made_whole(logprobs: Any) -> None:
    if not isinstance(logprobs, dict) or "tokens" in logprobs:
        return  # those of text completions have a form of their own
    logprobs.setdefault("content", None)
    for token in _dicts(logprobs["content"]):
        token.setdefault("bytes", None)
        for other in _dicts(token.setdefault("top_logprobs", [])):
            other.setdefault("bytes", None)


def _dicts(entries: Any) -> list[dict[str, Any]]:
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict)]
