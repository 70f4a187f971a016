"""Where arrays lie on a mesh: the table of axis rules, applied to one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jax import Array
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from botkit.errors import SettingsError
from botkit_models.config import DecoderConfig
from botkit_models.mesh.axes import DATA, RULES, TENSOR, axis_sizes, parameter_axes


@dataclass(frozen=True)
class Layout:
    """A mesh, and the mesh axis of each named axis.

    Fields:
        mesh: With axes ``data`` and ``tensor``.
        placed: Named axis to mesh axis, or None for one that every device holds whole.
        replicated: What the table would divide but the sizes do not, in words.
    """

    mesh: Mesh
    placed: Mapping[str, str | None]
    replicated: tuple[str, ...]

    @classmethod
    def of(cls, config: DecoderConfig, mesh: Mesh, slots: int) -> Layout:
        """The table applied to a model with ``slots`` conversations."""
        placed, replicated = dict(RULES), []
        for axis, size in axis_sizes(config, slots).items():
            over = RULES[axis]
            parts = 1 if over is None else mesh.shape[over]
            if size % parts:
                placed[axis] = None
                replicated.append(f"{axis}: {size} does not divide by {parts} ({over})")
        return cls(mesh, placed, tuple(replicated))

    @property
    def groups(self) -> int:
        """How many groups of slots there are, each on devices of its own."""
        return self.mesh.shape[DATA] if self.placed["slots"] else 1

    def sharding(self, *axes: str) -> NamedSharding:
        """Of an array with these named axes."""
        spec = PartitionSpec(*(self.placed[axis] for axis in axes))  # type: ignore[no-untyped-call]
        return NamedSharding(self.mesh, spec)

    def of_parameter(self, name: str) -> NamedSharding:
        """Of a tensor of the model; see :func:`parameter_axes`."""
        return self.sharding(*parameter_axes(name))

    def constrain(self, x: Array, *axes: str) -> Array:
        """``x``, inside a program, to lie as its named axes say."""
        lying: Array = jax.lax.with_sharding_constraint(  # type: ignore[no-untyped-call]
            x, self.sharding(*axes)
        )
        return lying

    def place(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """Tensors by name, each put where it belongs."""
        return {
            name: jax.device_put(tensor, self.of_parameter(name))
            for name, tensor in tensors.items()
        }


def mesh_shape(config: DecoderConfig, devices: int, tensor: int | None = None) -> tuple[int, int]:
    """Sizes of the ``data`` and ``tensor`` axes for a number of devices.

    Args:
        config: The model's shape.
        devices: How many.
        tensor: Devices that share one layer's heads; as many as divide the heads when None.

    Raises:
        SettingsError: ``tensor`` does not divide the devices.
    """
    if tensor is None:
        sizes = [n for n in range(1, devices + 1) if devices % n == 0]
        tensor = max(n for n in sizes if config.num_kv_heads % n == 0)
    if not 0 < tensor <= devices or devices % tensor:
        raise SettingsError(f"tensor is {tensor}; it must divide the {devices} devices")
    return devices // tensor, tensor


def make_mesh(shape: tuple[int, int], devices: Sequence[jax.Device]) -> Mesh:
    """A mesh of ``shape`` (data, tensor), neighbours in ``devices`` sharing layers."""
    kinds = (AxisType.Auto, AxisType.Auto)
    return Mesh(np.asarray(devices).reshape(shape), (DATA, TENSOR), axis_types=kinds)
