"""SmolLM2 with float32 weights writes what transformers writes, token by token."""

from __future__ import annotations

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from smollm2 import smollm2_gguf

from botkit_models.gpt.cache import empty_caches
from botkit_models.gpt.decoder import Decoder
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.checkpoint import Checkpoint
from botkit_models.weights.gguf import read_gguf
from botkit_models.weights.serving import serving_tensors

CONTINUATIONS = json.loads(
    (Path(__file__).parent / "fixtures" / "smollm2_continuations.json").read_text()
)
LENGTH = 64


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return read_gguf(smollm2_gguf())


@pytest.fixture(scope="module")
def logits_after(checkpoint: Checkpoint):
    tensors = serving_tensors(checkpoint.config, checkpoint.tensors)
    decoder = Decoder(
        checkpoint.config, {name: jnp.asarray(load()) for name, load in tensors.items()}
    )

    @jax.jit
    def logits(tokens: jax.Array) -> jax.Array:
        caches = empty_caches(checkpoint.config, 1, 128)
        hidden, _ = decoder.hidden(tokens[None], jnp.arange(LENGTH)[None], caches)
        return decoder.logits(hidden)[0]

    return lambda ids: np.asarray(logits(np.pad(np.int32(ids), (0, LENGTH - len(ids)))))


@pytest.mark.parametrize("case", CONTINUATIONS, ids=lambda case: str(len(case["prompt"])))
def test_greedy_continuations_equal_transformers(logits_after, case) -> None:
    prompt, reply = case["prompt"], case["reply"]
    assert len(reply) == 24
    # Each of the reply's tokens is the likeliest after those before it: so greedy decoding, one
    # token after another, writes just this reply.
    logits = logits_after(prompt + reply[:-1])[len(prompt) - 1 : len(prompt) - 1 + len(reply)]
    assert logits.argmax(-1).tolist() == reply
    two = np.sort(logits, axis=-1)[:, -2:]
    assert float((two[:, 1] - two[:, 0]).min()) == pytest.approx(case["lead"], abs=2e-3)


def test_the_prompts_are_the_ones_a_chat_sends(checkpoint: Checkpoint) -> None:
    from botkit.completion.messages import UserMessage
    from botkit_models.local.requests import Prompts

    prompts = Prompts(Tokenizer(checkpoint.tokenizer), 2048)
    france = [UserMessage(role="user", content="What is the capital of France?")]
    assert prompts.of_chat(france) == CONTINUATIONS[0]["prompt"]
