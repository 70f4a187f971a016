"""Devices that are not here, as the compilers describe them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import jax
from jax.experimental import topologies

from botkit_models.aot.topology import Topology

# An XLA GpuTargetConfigProto. NVIDIA's H100 SXM data sheet and the CUDA programming guide's table
# of compute capability 9.0.
_H100 = """
gpu_device_info {
  cuda_compute_capability { major: 9 }
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048
  shared_memory_per_block: 49152 shared_memory_per_block_optin: 232448
  shared_memory_per_core: 233472
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000 l2_cache_size: 52428800 device_memory_size: 84978434048
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 8 }
runtime_version { major: 12 minor: 8 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""


def described_devices(topology: Topology) -> Sequence[jax.Device]:
    """The topology's devices, to compile for; in an environment that has their compiler."""
    if topology.chip.compiler == "gpu":
        importlib.import_module("jax_plugins.xla_cuda12")  # which registers itself
        description = topologies.get_topology_desc(
            platform="cuda",
            topology_name="h100",
            topology=f"1x1x{topology.devices}",  # slices, hosts, devices
            target_config=_H100,
        )
        return description.devices
    rows, columns = topology.shape
    # One host has four chips, unless there is only one.
    options = {"chips_per_host_bounds": (1, 1, 1)} if topology.devices == 1 else {}
    description = topologies.get_topology_desc(
        platform="tpu", topology_name=f"v5e:{rows}x{columns}", **options
    )
    return description.devices
