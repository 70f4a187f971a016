"""What a report says of an answer."""

import dataclasses
import json

import pytest

from botkit.errors import SettingsError
from botkit_models.aot.models import SHAPES
from botkit_models.aot.order import Answer, CompiledStep, Order, Traffic
from botkit_models.aot.report import Report
from botkit_models.aot.topology import Topology

ORDER = Order(SHAPES["llama-3-8b"], "v5e:2x4", steps=("decode",))
DECODE = CompiledStep(
    "decode",
    arguments=2_100_000_000,
    outputs=1_002_000_000,
    aliased=1_000_000_000,
    temporaries=5_000_000,
    flops=64e9,
    bytes_accessed=2.2e9,
    optimal_seconds=0.003,
    collectives={"all-reduce": Traffic(66, 17_000_000)},
    kernels={"fusion loop": 3},
)
ANSWER = Answer(
    devices=8,
    hosts=2,
    device="TPU v5 lite",
    compiler="jax 0.10.2",
    mesh={"data": 1, "tensor": 8},
    replicated=(),
    weights=1_100_000_000,
    table=100_000_000,
    caches=1_000_000_000,
    rows=1,
    steps=(DECODE,),
)


def report(**step):
    steps = (dataclasses.replace(DECODE, **step),)
    return Report("llama-3-8b", ORDER, dataclasses.replace(ANSWER, steps=steps))


def test_the_floor_reads_weights_and_caches_once_and_not_the_table_of_tokens():
    one = report()
    floor = one.floor(one.answer.steps[0])
    assert floor.memory == pytest.approx(2.0e9 / 819e9)
    assert floor.compute == pytest.approx(64e9 / 197e12)
    assert one.share(one.answer.steps[0]) == pytest.approx(2.0e9 / 819e9 / 0.003)


def test_a_prefill_reads_one_slot_of_each_group():
    one = report(name="prefill", flops=1e12)
    floor = one.floor(one.answer.steps[0])
    assert floor.memory == pytest.approx((1.0e9 + 1.0e9 / 32) / 819e9)
    assert floor.seconds == pytest.approx(1e12 / 197e12)


def test_a_cost_model_that_counts_too_little_is_seen():
    assert report().counted(report().answer.steps[0]) is True
    low = report(bytes_accessed=1.9e9)
    assert low.counted(low.answer.steps[0]) is False


@pytest.mark.parametrize(
    "step", [{"temporaries": 16 * 2**30}, {"refusal": "Ran out of memory: used 17G of 15.75G hbm"}]
)
def test_what_does_not_fit_is_said_with_numbers(step):
    one = report(**step)
    assert not one.fits
    columns = one.table().columns
    cells = dict(zip(columns[0].cells, columns[1].cells, strict=True))
    assert "DOES NOT FIT" in cells["peak of memory"]
    assert "16.91 GB" in cells["peak of memory"]
    assert json.loads(one.as_json())["fits"] is False


def test_without_a_cost_model_there_is_no_share():
    one = report(flops=None, bytes_accessed=None, optimal_seconds=None)
    assert one.share(one.answer.steps[0]) is None
    assert one.fits


def test_room_for_a_copy_of_the_caches_is_noticed():
    one = report(temporaries=1_000_000_000)
    assert one.copies_cache(one.answer.steps[0])
    assert not report().copies_cache(report().answer.steps[0])


def test_orders_and_answers_survive_their_journey():
    assert Order.from_json(ORDER.to_json()) == ORDER
    assert Answer.from_json(ANSWER.to_json()) == ANSWER


@pytest.mark.parametrize("text", ["v5e", "v5e:3x5", "v5e:2x", "h100:0", "h100:9", "b200:1", ""])
def test_a_topology_that_nobody_builds_is_refused(text):
    with pytest.raises(SettingsError, match="--topology"):
        Topology.parse(text)
