"""What quantisation costs: int8 against float32 on real dialogues."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from botkit.errors import ModelFileError
from botkit_models.bench.dialogues import Dialogue
from botkit_models.bench.row import Bound, Row
from botkit_models.chat_template import ChatTemplate
from botkit_models.gpt.cache import empty_caches
from botkit_models.gpt.decoder import Decoder
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.native import NativeModel, open_native

PERPLEXITY = Bound("most", 1.025, of="ratio")
PADDED, MOST_TOKENS = 256, 1024

LogProbs = Callable[[jax.Array], jax.Array]


@dataclass(frozen=True)
class Divergence:
    """How far one model is from another over a number of tokens.

    Fields:
        tokens: How many were predicted.
        loss, reference_loss: Mean negative log-probability of the real tokens, in nats.
        kl: Mean Kullback-Leibler divergence from the reference's distribution, in nats.
        agreement: Share of positions at which both find the same token likeliest.
    """

    tokens: int
    loss: float
    reference_loss: float
    kl: float
    agreement: float


def quality_rows(served: Path, reference: Path, dialogues: Sequence[Dialogue]) -> list[Row]:
    """Perplexity of the served form beside the float32 form's, over whole rendered dialogues.

    Args:
        served: The int8 serving folder.
        reference: The float32 serving folder of the same checkpoint.
        dialogues: What is read.

    Raises:
        ModelFileError: A folder is damaged, or the model has no chat template.
    """
    model, exact = open_native(served), open_native(reference)
    texts = tokenized(exact, dialogues)
    found = compare(log_probs(model), log_probs(exact), texts)
    on = f"{found.tokens} tokens of {len(texts)} dialogues"
    return [
        Row(
            "perplexity, int8 against float32",
            "",
            math.exp(found.loss),
            math.exp(found.reference_loss),
            "float32",
            PERPLEXITY,
            f"{on}; ratio {math.exp(found.loss - found.reference_loss):.4f}",
        ),
        Row("mean KL divergence from float32", "nats", found.kl),
        Row("likeliest token as in float32", "%", 100 * found.agreement),
    ]


def tokenized(model: NativeModel, dialogues: Sequence[Dialogue]) -> list[list[int]]:
    """Dialogues in the model's own chat format, cut where they get too long."""
    tokenizer, spec = Tokenizer(model.tokenizer), model.tokenizer
    if spec.chat_template is None:
        raise ModelFileError(f"{model.folder} has no chat template to render dialogues with")
    template = ChatTemplate(spec.chat_template, tokenizer.special_tokens)
    limit = min(MOST_TOKENS, model.config.max_positions)
    texts = []
    for dialogue in dialogues:
        segments = template.render(
            dialogue,
            add_generation_prompt=False,
            bos_token=spec.bos_token,
            eos_token=spec.eos_token,
        )
        texts.append(tokenizer.encode_segments(segments)[:limit])
    return texts


def log_probs(model: NativeModel) -> LogProbs:
    """A compiled function from ``tokens [1, T]`` int32 to log-probabilities ``[T, V]`` float32."""
    tensors = {name: jnp.asarray(array) for name, array in model.tensors.items()}
    graph, weights = nnx.split(Decoder(model.config, tensors))

    @jax.jit
    def run(weights: Any, tokens: jax.Array) -> jax.Array:
        decoder = nnx.merge(graph, weights)
        T = tokens.shape[1]
        caches = empty_caches(model.config, 1, T)
        hidden, _ = decoder.hidden(tokens, jnp.arange(T, dtype=jnp.int32)[None], caches)  # 1,T,E
        return jax.nn.log_softmax(decoder.logits(hidden[0]))  # T,V

    return lambda tokens: run(weights, tokens)


def compare(ours: LogProbs, theirs: LogProbs, texts: Sequence[Sequence[int]]) -> Divergence:
    """Run both over ``texts`` and compare their distributions position by position."""
    parts = [_compare_one(ours, theirs, text) for text in texts if len(text) > 1]
    loss, reference_loss, kl, agreement = np.concatenate(parts, axis=1)
    return Divergence(
        tokens=len(loss),
        loss=float(loss.mean()),
        reference_loss=float(reference_loss.mean()),
        kl=float(kl.mean()),
        agreement=float(agreement.mean()),
    )


def _compare_one(ours: LogProbs, theirs: LogProbs, text: Sequence[int]) -> np.ndarray:
    """Loss, the reference's loss, divergence and agreement at each position, ``[4, T - 1]``."""
    # Lengths are rounded up, so that few shapes are compiled. What is padded comes after, and
    # attention looks back only.
    padded = np.zeros((1, -(-len(text) // PADDED) * PADDED), np.int32)
    padded[0, : len(text)] = text
    tokens = jnp.asarray(padded)
    p, q = theirs(tokens), ours(tokens)  # T,V
    parts = _divergence(p, q, jnp.roll(tokens[0], -1))
    return np.stack([np.asarray(part, np.float64)[: len(text) - 1] for part in parts])


@jax.jit
def _divergence(p: jax.Array, q: jax.Array, following: jax.Array) -> tuple[jax.Array, ...]:
    """``p, q [T, V]`` log-probabilities, ``following [T]`` the tokens that came next."""
    rows = jnp.arange(p.shape[0])
    kl = jnp.sum(jnp.exp(p) * (p - q), axis=-1)
    agree = jnp.argmax(p, axis=-1) == jnp.argmax(q, axis=-1)
    return -q[rows, following], -p[rows, following], kl, agree
