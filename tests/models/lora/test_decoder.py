"""A model with an adapter says what the model says that the adapter was merged into."""

import jax.numpy as jnp
import numpy as np
import pytest
from lora_adapters import tiny_adapter
from tiny_models import FIXTURES

from botkit_models.gpt.cache import empty_caches
from botkit_models.gpt.decoder import Decoder
from botkit_models.gpt.lora import Adapters
from botkit_models.lora.reading import read_adapter
from botkit_models.lora.serving_basis import serving_factors
from botkit_models.lora.stacked import stack_factors
from botkit_models.weights.basis import Basis, read_basis
from botkit_models.weights.convert import convert
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import open_native
from botkit_models.weights.rotation import can_rotate, rotated
from botkit_models.weights.serving import serving_tensors

FAMILIES = sorted(folder.parent.name for folder in FIXTURES.glob("*/config.json"))
TOKENS = np.random.default_rng(3).integers(0, 250, (3, 12)).astype(np.int32)


def decoder_of(folder, *, turn=False):
    checkpoint = read_huggingface(folder)
    tensors = serving_tensors(checkpoint.config, checkpoint.tensors)
    if turn:
        tensors = rotated(checkpoint.config, tensors)
    loaded = {name: jnp.asarray(load()) for name, load in tensors.items()}
    return Decoder(checkpoint.config, loaded)


def logits_of(decoder, tokens, adapters=None):
    positions = jnp.tile(jnp.arange(tokens.shape[1], dtype=jnp.int32), (len(tokens), 1))
    caches = empty_caches(decoder.config, len(tokens), 128)
    hidden, _ = decoder.hidden(jnp.asarray(tokens), positions, caches, adapters)
    return np.asarray(decoder.logits(hidden))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("turn", [False, True], ids=["plain", "rotated"])
def test_logits_equal_the_merged_models(family, turn, tmp_path):
    config = read_huggingface(FIXTURES / family).config
    if turn and not can_rotate(config):
        pytest.skip("this family does not rotate")
    basis = Basis()
    if turn:
        convert(read_huggingface(FIXTURES / family), tmp_path / "served")
        basis = read_basis(open_native(tmp_path / "served"))
    tiny = [tiny_adapter(family, rank=rank, seed=rank) for rank in (2, 4)]
    served = [
        serving_factors(config, basis, read_adapter(one.write(tmp_path / f"{n}"), config))
        for n, one in enumerate(tiny)
    ]
    base = decoder_of(FIXTURES / family, turn=turn)
    # Both adapters in one batch, the second one twice.
    adapters = Adapters(stack_factors(config, served), jnp.array([1, 0, 1], jnp.int32))
    found = logits_of(base, TOKENS, adapters)
    for rows, one in (([1], tiny[0]), ([0, 2], tiny[1])):
        merged = decoder_of(one.write_merged(tmp_path / f"merged{one.config['r']}"))
        expected = logits_of(merged, TOKENS[rows])
        np.testing.assert_allclose(found[rows], expected, atol=5e-4, rtol=5e-4)
        assert np.abs(expected - logits_of(base, TOKENS[rows])).max() > 0.1
