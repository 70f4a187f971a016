"""The tokenizer of a Hugging Face folder: ``tokenizer.json`` and its companions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botkit.errors import ModelFileError
from botkit_models.tokenizer import load_backend
from botkit_models.weights.checkpoint import TokenizerSpec
from botkit_models.weights.safetensors_file import parse_json_object

MAX_TOKENIZER_BYTES = 64 << 20
MAX_CONFIG_BYTES = 4 << 20
MAX_TEMPLATE_CHARS = 1 << 20


def read_tokenizer(folder: Path, config: dict[str, Any]) -> TokenizerSpec:
    """Read the tokenizer files beside a ``config.json``.

    Args:
        folder: Where ``tokenizer.json`` and, when present, ``tokenizer_config.json``,
            ``special_tokens_map.json``, ``generation_config.json`` and ``chat_template.jinja`` are.
        config: The parsed ``config.json``; its token ids count where no other file names them.

    Raises:
        ModelFileError: ``tokenizer.json`` is missing, or a file is damaged.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelFileError(f"{path} is missing; only fast tokenizers can be read")
    text = read_text(path, MAX_TOKENIZER_BYTES)
    backend = load_backend(text)
    settings = read_optional_json(folder / "tokenizer_config.json")
    generation = read_optional_json(folder / "generation_config.json")
    names = read_optional_json(folder / "special_tokens_map.json") | settings

    def named(role: str) -> str | None:
        token = token_text(names.get(f"{role}_token"))
        ids = [generation.get(f"{role}_token_id"), config.get(f"{role}_token_id")]
        return token or next((backend.id_to_token(i) for i in map(_first_id, ids) if i >= 0), None)

    bos, eos = named("bos"), named("eos")
    eos_ids = {*_ids(generation.get("eos_token_id")), *_ids(config.get("eos_token_id"))}
    if eos is not None and (eos_id := backend.token_to_id(eos)) is not None:
        eos_ids.add(eos_id)
    bos_id = backend.token_to_id(bos) if bos else None
    return TokenizerSpec(
        json=text,
        chat_template=_chat_template(folder, settings),
        bos_token=bos,
        eos_token=eos,
        pad_token=named("pad"),
        eos_ids=tuple(sorted(eos_ids)),
        add_bos=bos_id is not None and backend.encode("a").ids[:1] == [bos_id],
    )


def read_text(path: Path, limit: int) -> str:
    """A UTF-8 file of at most ``limit`` bytes.

    Raises:
        ModelFileError: It is larger, unreadable or no UTF-8.
    """
    try:
        if path.stat().st_size > limit:
            raise ModelFileError(f"{path} is larger than {limit >> 20} MiB")
        return path.read_bytes().decode()
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path} is no UTF-8 text: {error}") from None


def read_optional_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file, or an empty one when there is no such file."""
    if not path.is_file():
        return {}
    return parse_json_object(read_text(path, MAX_CONFIG_BYTES).encode(), path)


def token_text(value: Any) -> str | None:
    """A special token as the files write it: a text, or an object with ``content``."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) and value else None


def _chat_template(folder: Path, settings: dict[str, Any]) -> str | None:
    path = folder / "chat_template.jinja"
    if path.is_file():
        return read_text(path, MAX_TEMPLATE_CHARS)
    template = settings.get("chat_template")
    if isinstance(template, list):  # named templates; "default" is the one for chatting
        named = {t.get("name"): t.get("template") for t in template if isinstance(t, dict)}
        template = named.get("default")
    if template is None:
        return None
    if not isinstance(template, str) or len(template) > MAX_TEMPLATE_CHARS:
        raise ModelFileError(f"{folder}: the chat template is no text, or too long")
    return template


def _ids(value: Any) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [entry for entry in values if type(entry) is int and 0 <= entry < 1 << 31]


def _first_id(value: Any) -> int:
    return next(iter(_ids(value)), -1)
