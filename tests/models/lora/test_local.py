"""Adapters as models of the local completion: listed, asked for by name, refused at the start."""

from collections.abc import Iterator

import pytest
from lora_adapters import tiny_adapter
from tiny_models import CONTEXT, compile_cache, run_apart

from botkit.completion import ChatCompletionRequest
from botkit.completion.embeddings import EmbeddingRequest
from botkit.errors import ModelFileError, ModelNotFoundError, SettingsError
from botkit_models.engine.config import EngineConfig
from botkit_models.local import LocalCompletion

NAMES = ("int8", "support", "sales")


def completion_of(folder, lora):
    return LocalCompletion(
        str(folder),
        home=folder.parent,
        compile_cache=compile_cache(),
        config=EngineConfig(slots=4, context=CONTEXT, queue=8),
        warm_up=False,
        lora=lora,
    )


@pytest.fixture(scope="module")
def served(tiny, adapter_folders) -> Iterator[LocalCompletion]:
    completion = completion_of(tiny.folder, adapter_folders)
    run_apart(completion.start())
    yield completion
    run_apart(completion.aclose())


def chat(model, **fields):
    messages = [{"role": "user", "content": "the rain"}]
    fields = {"max_tokens": 16, "temperature": 0.0, **fields}
    return ChatCompletionRequest(model=model, messages=messages, **fields)


async def test_each_adapter_is_a_model(served):
    models = {model.id: model for model in await served.models()}
    assert tuple(models) == NAMES
    assert (models["sales"].parent, models["sales"].root) == ("int8", "sales")
    assert "root" not in models["int8"].to_json()


async def test_the_model_that_is_named_answers(served):
    replies = {name: await served.complete(chat(name)) for name in NAMES}
    assert {name: reply.model for name, reply in replies.items()} == {n: n for n in NAMES}
    assert len({reply.choices[0].message.content for reply in replies.values()}) == len(NAMES)
    fingerprints = {name: served.version(name) for name in NAMES}
    assert len(set(fingerprints.values())) == len(NAMES)
    for name, reply in replies.items():
        assert reply.system_fingerprint == fingerprints[name]
        assert (await served.complete(chat(name))).choices == reply.choices


async def test_a_stream_says_the_same(served):
    whole = await served.complete(chat("sales"))
    chunks = [chunk async for chunk in served.stream(chat("sales", stream=True))]
    assert {chunk.model for chunk in chunks} == {"sales"}
    text = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    assert text == whole.choices[0].message.content


async def test_vectors_are_the_adapters(served):
    vectors = [
        (await served.embed(EmbeddingRequest(model=name, input="the rain"))).data[0].embedding
        for name in NAMES
    ]
    assert vectors[0] != vectors[1] != vectors[2] != vectors[0]


async def test_another_name_is_not_found(served):
    with pytest.raises(ModelNotFoundError, match="marketing"):
        await served.complete(chat("marketing"))


async def test_a_wrong_adapter_is_refused_at_the_start(tiny, tmp_path):
    wrong = completion_of(tiny.folder, {"wrong": tiny_adapter("gpt2").write(tmp_path / "wrong")})
    with pytest.raises(ModelFileError, match=r"transformer\.h\.0"):
        await wrong.start()
    assert not wrong.ready


async def test_an_adapter_cannot_take_the_models_name(tiny, adapter_folders):
    same = completion_of(tiny.folder, {"int8": adapter_folders["sales"]})
    with pytest.raises(SettingsError, match="name of the model"):
        await same.start()
