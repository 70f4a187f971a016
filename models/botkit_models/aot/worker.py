"""The process that compiles, inside a compiler's environment. Reads an order, prints an answer."""

from __future__ import annotations

import os
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from botkit_models.aot.hlo import collectives, kernels
from botkit_models.aot.order import Answer, CompiledStep, Order, StepName
from botkit_models.aot.targets import described_devices
from botkit_models.aot.topology import Topology
from botkit_models.mesh.layout import Layout, make_mesh, mesh_shape
from botkit_models.mesh.steps import MeshSteps
from botkit_models.mesh.tensors import abstract, abstract_caches, abstract_tensors

ACTIVATIONS = CACHES = jnp.bfloat16

# A TPU copies what it will need next from its memory (HBM) to the one beside its cores (VMEM) while
# it computes. The cost model counts such a byte three times, and a second (!) off for each copy in
# pieces. Without the copies the same operations are left and each byte counts once.
COUNT_ONCE = {
    "xla_msa_max_outstanding_prefetches": 0,
    "xla_msa_max_cross_program_prefetches": 0,
    "xla_tpu_sliced_prefetch_max_slices": 1,
}


class Worker:
    """One order's compilations."""

    def __init__(self, order: Order) -> None:
        self.order, self.topology = order, Topology.parse(order.topology)
        self.devices = described_devices(self.topology)
        shape = mesh_shape(order.config, len(self.devices), order.tensor)
        mesh = make_mesh(shape, self.devices)
        self.layout = Layout.of(order.config, mesh, order.slots)
        self.steps = MeshSteps(order.config, self.layout, ACTIVATIONS)
        self.weights = abstract_tensors(order.config, self.layout, order.weights)
        self.caches = abstract_caches(order.config, self.layout, order.slots, order.context, CACHES)

    def answer(self) -> Answer:
        """Compile everything that was ordered."""
        order, tensors = self.order, self.weights
        tables = [] if order.config.tie_embeddings else ["embed.weight", "embed.scale"]
        return Answer(
            devices=len(self.devices),
            hosts=len({device.process_index for device in self.devices}),
            device=self.devices[0].device_kind,
            compiler=_versions("jax", "libtpu", "jax-cuda12-pjrt"),
            mesh=dict(self.layout.mesh.shape),
            replicated=self.layout.replicated,
            weights=_bytes(list(tensors.values())),
            table=_bytes([tensors[name] for name in tables if name in tensors]),
            caches=_bytes(self.caches),
            rows=self.layout.groups,
            steps=tuple(self._compiled(name) for name in order.steps),
        )

    def _compiled(self, name: StepName) -> CompiledStep:
        arguments = self._arguments(name)
        needed = _bytes(arguments)
        memory = self.topology.chip.memory
        if needed > memory:
            return CompiledStep(name, arguments=needed, refusal="weights and caches do not fit")
        began = time.monotonic()
        options = COUNT_ONCE if self.topology.chip.compiler == "tpu" else None
        step = self.steps.decode if name == "decode" else self.steps.prefill
        try:
            program = step.lower(*arguments).compile(compiler_options=options)
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            return CompiledStep(name, arguments=needed, refusal=_first_lines(str(error)))
        return _described(name, program, time.monotonic() - began)

    def _arguments(self, name: StepName) -> tuple[Any, ...]:
        order, layout = self.order, self.layout

        def integers(*shape: int) -> jax.ShapeDtypeStruct:
            return abstract(shape, jnp.int32, layout.sharding(*["rows"] * len(shape)))

        if name == "decode":
            return self.weights, self.caches, integers(order.slots), integers(order.slots)
        rows, length = layout.groups, order.prefill
        new = integers(rows, length)
        return self.weights, self.caches, new, new, integers(rows)


def _described(name: StepName, program: Any, seconds: float) -> CompiledStep:
    memory, cost, text = program.memory_analysis(), program.cost_analysis() or {}, program.as_text()
    return CompiledStep(
        name,
        compile_seconds=seconds,
        arguments=memory.argument_size_in_bytes,
        outputs=memory.output_size_in_bytes,
        aliased=memory.alias_size_in_bytes,
        temporaries=memory.temp_size_in_bytes,
        code=memory.generated_code_size_in_bytes,
        flops=cost.get("flops"),
        bytes_accessed=cost.get("bytes accessed"),
        optimal_seconds=cost.get("optimal_seconds"),
        collectives=collectives(text),
        kernels=kernels(text),
    )


def _bytes(tree: Any) -> int:
    """Bytes of abstract arrays on one device."""
    return sum(
        int(np.prod(leaf.sharding.shard_shape(leaf.shape))) * leaf.dtype.itemsize
        for leaf in jax.tree.leaves(tree)
    )


def _first_lines(message: str) -> str:
    """What a compiler says first, without its list of every allocation."""
    return " ".join(message.split("\n\n")[0].split())[:400]


def _versions(*packages: str) -> str:
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def main() -> None:
    """Read the order from the standard input; the answer is all that the standard output gets."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # compilers print
    answer = Worker(Order.from_json(sys.stdin.read())).answer()
    answers.write(answer.to_json())
    answers.flush()
