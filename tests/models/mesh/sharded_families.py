"""Run as a program on eight forced host devices: every family's logits, on meshes and on one.

Prints, as JSON, by family and mesh (``DATAxTENSOR``): the largest difference to the expected
logits over prompts and tokens, what was held whole, and the shards of one cache.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from botkit_models.config import DecoderConfig
from botkit_models.gpt.slot_cache import empty_slots
from botkit_models.mesh.axes import CACHE
from botkit_models.mesh.layout import Layout, make_mesh
from botkit_models.mesh.steps import MeshSteps
from botkit_models.mesh.tensors import mesh_tensors
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.quantize import quantize_channels
from botkit_models.weights.serving import serving_tensors

SLOTS, CONTEXT, CHUNK = 8, 64, 16
INT8_FAMILIES = ("gpt2", "llama")


class Served:
    """One model on one mesh, with a conversation in every slot."""

    def __init__(self, config: DecoderConfig, tensors: dict, shape: tuple[int, int]) -> None:
        mesh = make_mesh(shape, jax.devices()[: shape[0] * shape[1]])
        self.layout = Layout.of(config, mesh, SLOTS)
        self.steps = MeshSteps(config, self.layout, jnp.float32)
        self.weights = self.layout.place(mesh_tensors(config, tensors))
        caches = empty_slots(config, SLOTS, CONTEXT, jnp.float32)
        self.caches = jax.device_put(caches, self.layout.sharding(*CACHE))

    def logits(self, tokens: np.ndarray, prompt: int) -> np.ndarray:
        """After each of ``tokens [SLOTS, T]`` from ``prompt - 1`` on: ``[SLOTS, T-prompt+1, V]``.

        Prompts are read in chunks with padding; the rest is written token by token, with slots that
        have none between.
        """
        groups = self.layout.groups
        each = SLOTS // groups
        first = [None] * SLOTS
        for slot in range(each):
            rows = [group * each + slot for group in range(groups)]
            self._read(tokens[rows, : prompt - 2], 0, slot)
            logits = self._read(tokens[rows, prompt - 2 : prompt], prompt - 2, slot)
            for row, number in enumerate(rows):
                first[number] = logits[row]
        found = [np.stack(first)]
        for place in range(prompt, tokens.shape[1]):
            halves = [np.arange(SLOTS) % 2 == half for half in range(2)]
            found.append(sum(self._write(tokens[:, place], place, half) for half in halves))
        return np.stack(found, axis=1)

    def _read(self, tokens: np.ndarray, start: int, slot: int) -> np.ndarray:
        padded = np.pad(tokens, ((0, 0), (0, CHUNK - tokens.shape[1])))
        positions = np.full(padded.shape, -1, np.int32)
        positions[:, : tokens.shape[1]] = start + np.arange(tokens.shape[1])
        slots = np.full(len(tokens), slot, np.int32)
        self.caches, logits = self.steps.prefill(
            self.weights, self.caches, padded, positions, slots
        )
        return np.asarray(logits)

    def _write(self, tokens: np.ndarray, place: int, live: np.ndarray) -> np.ndarray:
        positions = np.where(live, place, -1).astype(np.int32)
        self.caches, logits = self.steps.decode(self.weights, self.caches, tokens, positions)
        return np.where(live[:, None], np.asarray(logits), 0.0)


def int8(tensors: dict) -> dict:
    """Matrices as int8 and scales."""
    quantized = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and not name.startswith("position."):
            weight, scale = quantize_channels(np.asarray(tensor))
            quantized[name] = jnp.asarray(weight)
            quantized[name.removesuffix("weight") + "scale"] = jnp.asarray(scale)
        else:
            quantized[name] = tensor
    return quantized


def compare(folder: Path, shapes: list[tuple[int, int]]) -> dict:
    """One family on each mesh."""
    checkpoint = read_huggingface(folder)
    config, expected = checkpoint.config, np.load(folder / "expected.npz")
    served = serving_tensors(config, checkpoint.tensors)
    tensors = {name: jnp.asarray(load()) for name, load in served.items()}
    tokens = np.resize(expected["tokens"], (SLOTS, expected["tokens"].shape[1]))
    prompt = tokens.shape[1] - 3
    wanted = np.resize(expected["logits"], (SLOTS, *expected["logits"].shape[1:]))[:, prompt - 1 :]
    found = {}
    for shape in shapes:
        model = Served(config, tensors, shape)
        difference = np.abs(model.logits(tokens, prompt) - wanted).max()
        shard = model.caches[0].keys.addressable_shards[0].data.shape
        found[f"{shape[0]}x{shape[1]}"] = {
            "difference": float(difference),
            "replicated": list(model.layout.replicated),
            "cache": list(model.caches[0].keys.shape),
            "cache_shard": list(shard),
        }
    if folder.name not in INT8_FAMILIES:
        return found
    one, many = (
        Served(config, int8(tensors), shape).logits(tokens, prompt) for shape in ((1, 1), shapes[0])
    )
    found["int8"] = {
        "difference": float(np.abs(one - many).max()),
        "from_float": float(np.abs(one - wanted).max()),
    }
    return found


if __name__ == "__main__":
    folders, shapes = sys.argv[2:], json.loads(sys.argv[1])
    result = {}
    for folder in map(Path, folders):
        result[folder.name] = compare(folder, [tuple(shape) for shape in shapes])
    json.dump(result, sys.stdout)
