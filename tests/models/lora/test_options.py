"""``adapter_config.json``: unsupported options are refused by name, never ignored."""

import json

import pytest
from lora_adapters import tiny_adapter

from botkit.errors import ModelFileError
from botkit_models.lora.options import read_options


def options(folder, **changes):
    config = {**tiny_adapter().config, **changes}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return read_options(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use_dora", True),
        ("use_qalora", True),
        ("modules_to_save", ["lm_head"]),
        ("trainable_token_indices", [5]),
        ("target_parameters", ["mlp.experts.gate_up_proj"]),
        ("layer_replication", [[0, 2]]),
        ("lora_bias", True),
        ("alora_invocation_tokens", [1, 2]),
        ("megatron_config", {"a": 1}),
        ("arrow_config", {"a": 1}),
        ("an_option_of_next_year", 0.5),
        ("init_lora_weights", "pissa_niter_16"),
        ("init_lora_weights", "loftq"),
        ("bias", "all"),
        ("bias", "lora_only"),
        ("peft_type", "IA3"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(tmp_path, name, value):
    with pytest.raises(ModelFileError, match=name):
        options(tmp_path, **{name: value})


@pytest.mark.parametrize("empty", [None, False, [], {}, 0])
def test_an_unknown_option_that_is_off_does_no_harm(tmp_path, empty):
    assert options(tmp_path, an_option_of_next_year=empty).rank == 4


@pytest.mark.parametrize("rank", [0, -1, 1025, 1.5, "8", None, True])
def test_a_rank_that_is_none_is_refused(tmp_path, rank):
    with pytest.raises(ModelFileError, match=r"\br\b"):
        options(tmp_path, r=rank)


@pytest.mark.parametrize("alpha", ["8", None, True, float("nan"), float("inf"), [1]])
def test_an_alpha_that_is_no_number_is_refused(tmp_path, alpha):
    with pytest.raises(ModelFileError, match="lora_alpha"):
        options(tmp_path, lora_alpha=alpha)


@pytest.mark.parametrize("name", ["rank_pattern", "alpha_pattern"])
def test_regular_expressions_are_refused(tmp_path, name):
    with pytest.raises(ModelFileError, match="no regular expressions"):
        options(tmp_path, **{name: {"(a+)+$": 4}})
    with pytest.raises(ModelFileError, match=name):
        options(tmp_path, **{name: [1]})


def test_pattern_values_are_checked(tmp_path):
    with pytest.raises(ModelFileError, match="rank_pattern"):
        options(tmp_path, rank_pattern={"q_proj": 0})
    with pytest.raises(ModelFileError, match="q_proj"):
        options(tmp_path, alpha_pattern={"q_proj": "big"})


@pytest.mark.parametrize("targets", [5, ["q_proj", 5], {"q_proj": 1}])
def test_targets_that_are_no_names_are_refused(tmp_path, targets):
    with pytest.raises(ModelFileError, match="target_modules"):
        options(tmp_path, target_modules=targets)


def test_layers_that_are_no_numbers_are_refused(tmp_path):
    with pytest.raises(ModelFileError, match="layers_to_transform"):
        options(tmp_path, layers_to_transform=["1"])
    assert options(tmp_path, layers_to_transform=1).layers == {1}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"peft_type": "LORA"}', "[" * 100_000])
def test_a_damaged_file_is_refused(tmp_path, text):
    (tmp_path / "adapter_config.json").write_text(text)
    with pytest.raises(ModelFileError):
        read_options(tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match=r"adapter_config\.json"):
        read_options(tmp_path)
