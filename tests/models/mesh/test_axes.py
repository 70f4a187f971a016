"""The table of axis rules, and the mesh that a number of devices makes."""

import dataclasses

import pytest

from botkit.errors import SettingsError
from botkit_models.aot.models import SHAPES
from botkit_models.config import DecoderConfig
from botkit_models.mesh.axes import RULES, parameter_axes
from botkit_models.mesh.layout import mesh_shape
from botkit_models.weights.shapes import tensor_shapes

LLAMA = SHAPES["llama-3-8b"]
EVERYTHING = dataclasses.replace(
    LLAMA,
    num_layers=1,
    norm="layer",
    position="learned",
    qkv_bias=True,
    out_bias=True,
    mlp_bias=True,
    qk_norm=True,
    post_norms=True,
)


@pytest.mark.parametrize("config", [EVERYTHING, dataclasses.replace(EVERYTHING, gated=False)])
def test_every_tensor_has_a_named_axis_per_dimension(config: DecoderConfig):
    sizes = {
        "vocab": config.vocab_size,
        "embed": config.hidden_size,
        "heads": config.num_heads * config.head_dim,
        "kv_heads": config.num_kv_heads * config.head_dim,
        "mlp": config.intermediate_size,
        "head_dim": config.head_dim,
        "position": config.max_positions,
    }
    for name, shape in tensor_shapes(config).items():
        axes = parameter_axes(name)
        assert set(axes) <= set(RULES)
        assert tuple(sizes[axis] for axis in axes) == shape, name


def test_a_scale_lies_with_the_outputs_of_its_matrix():
    assert parameter_axes("layers.3.attn.k.scale") == ("kv_heads",)
    assert parameter_axes("layers.3.mlp.down.scale") == ("embed",)
    assert parameter_axes("head.scale") == ("vocab",)


@pytest.mark.parametrize(
    ("model", "devices", "shape"),
    [
        ("llama-3-8b", 8, (1, 8)),
        ("llama-3-70b", 16, (2, 8)),
        ("smollm2-135m", 8, (8, 1)),  # three heads
        ("smollm2-135m", 6, (2, 3)),
        ("llama-3-8b", 1, (1, 1)),
    ],
)
def test_heads_are_divided_as_far_as_they_go(model, devices, shape):
    assert mesh_shape(SHAPES[model], devices) == shape


def test_a_chosen_tensor_axis_must_divide_the_devices():
    assert mesh_shape(LLAMA, 8, tensor=2) == (4, 2)
    with pytest.raises(SettingsError, match="tensor is 3"):
        mesh_shape(LLAMA, 8, tensor=3)
