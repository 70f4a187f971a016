"""Every family's logits against Hugging Face transformers, in float32."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from botkit_models.gpt.cache import empty_caches
from botkit_models.gpt.decoder import Decoder
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.rotation import can_rotate, rotated
from botkit_models.weights.serving import serving_tensors

FIXTURES = Path(__file__).parent / "fixtures"
FAMILIES = sorted(folder.parent.name for folder in FIXTURES.glob("*/config.json"))


def logits_of(config, tensors, tokens):
    decoder = Decoder(config, {name: jnp.asarray(load()) for name, load in tensors.items()})
    caches = empty_caches(config, len(tokens), 128)
    pad = ((0, 0), (0, 16 - tokens.shape[1]))
    positions = np.pad(
        np.tile(np.arange(tokens.shape[1]), (len(tokens), 1)), pad, constant_values=-1
    )
    hidden, _ = decoder.hidden(jnp.asarray(np.pad(tokens, pad)), jnp.asarray(positions), caches)
    return np.asarray(decoder.logits(hidden))[:, : tokens.shape[1]]


def test_every_family_of_the_issue_has_a_fixture():
    assert {"gpt2", "llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3"} <= set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_equal_transformers(family):
    checkpoint = read_huggingface(FIXTURES / family)
    expected = np.load(FIXTURES / family / "expected.npz")
    tensors = serving_tensors(checkpoint.config, checkpoint.tensors)
    logits = logits_of(checkpoint.config, tensors, expected["tokens"])
    assert np.std(expected["logits"]) > 0.05  # a model that says nothing would agree with anything
    np.testing.assert_allclose(logits, expected["logits"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_rotation_changes_no_logit(family):
    checkpoint = read_huggingface(FIXTURES / family)
    if not can_rotate(checkpoint.config):
        assert family in {"gpt2", "gemma2", "gemma3"}
        return
    expected = np.load(FIXTURES / family / "expected.npz")
    tensors = serving_tensors(checkpoint.config, checkpoint.tensors)
    turned = rotated(checkpoint.config, tensors)
    assert not np.allclose(turned["embed.weight"](), tensors["embed.weight"]())
    logits = logits_of(checkpoint.config, turned, expected["tokens"])
    np.testing.assert_allclose(logits, expected["logits"], atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_token_by_token_equals_all_at_once(family):
    checkpoint = read_huggingface(FIXTURES / family)
    expected = np.load(FIXTURES / family / "expected.npz")
    tensors = serving_tensors(checkpoint.config, checkpoint.tensors)
    decoder = Decoder(
        checkpoint.config, {name: jnp.asarray(load()) for name, load in tensors.items()}
    )
    caches = empty_caches(checkpoint.config, len(expected["tokens"]), 128)
    for position, column in enumerate(expected["tokens"].T):
        positions = jnp.full((len(column), 1), position, jnp.int32)
        hidden, caches = decoder.hidden(jnp.asarray(column)[:, None], positions, caches)
        logits = np.asarray(decoder.logits(hidden))[:, 0]
        np.testing.assert_allclose(logits, expected["logits"][:, position], atol=1e-4, rtol=1e-4)
