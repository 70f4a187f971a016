"""Run with ``openai==0.28.1``: make the historical calls and print what came, as JSON."""

import json
import sys

import openai

openai.api_base = sys.argv[1]
openai.api_key = "none"
MODEL = sys.argv[2]
OLD = "text-davinci-002"
MESSAGES = [{"role": "user", "content": "hello my friend"}]


def caught(call):
    try:
        call()
    except openai.error.OpenAIError as error:
        return [type(error).__name__, error.http_status, getattr(error, "param", None)]
    return None


completion = openai.Completion.create(engine=OLD, prompt="Say this is a test", max_tokens=3, n=2)
parts = list(openai.Completion.create(engine=OLD, prompt="one two", max_tokens=3, stream=True))
chat = openai.ChatCompletion.create(model=OLD, messages=MESSAGES, max_tokens=4)
chat_parts = openai.ChatCompletion.create(model=OLD, messages=MESSAGES, max_tokens=4, stream=True)
# An edit's length cannot be limited: a model at temperature 1 may ramble to the end of its context.
edit = openai.Edit.create(
    model=OLD,
    input="What day of the wek is it?",
    instruction="Fix the spelling mistakes",
    temperature=0,
)
engine = openai.Engine.retrieve(MODEL)
# Engine.search itself was gone by 0.28; its request still goes through the client.
search = openai.Engine(OLD).request(
    "post",
    f"/engines/{OLD}/search",
    {"documents": ["White House", "school"], "query": "the president"},
)
vector = openai.Embedding.create(model=OLD, input=["a cat"])["data"][0]["embedding"]
other = openai.Embedding.create(engine=OLD, input="a cat")["data"][0]["embedding"]

print(
    json.dumps(
        {
            "completion": {
                "object": completion["object"],
                "model": completion.model,
                "texts": [choice.text for choice in completion.choices],
            },
            "completion_stream": {
                "text": "".join(part.choices[0].text for part in parts),
                "finish_reason": parts[-1].choices[0].finish_reason,
            },
            "chat": dict(chat.choices[0].message),
            "chat_stream": "".join(
                part.choices[0].delta.get("content") or "" for part in chat_parts
            ),
            "edit": {
                "object": edit["object"],
                "text": edit.choices[0].text,
                "index": edit.choices[0].index,
            },
            "engines": [entry.id for entry in openai.Engine.list().data],
            "engine": {"id": engine.id, "object": engine["object"], "ready": engine.ready},
            "search": [entry["document"] for entry in search["data"]],
            "models": [entry.id for entry in openai.Model.list().data],
            "embeddings": {
                "size": len(vector),
                "squared_length": sum(value * value for value in vector),
                "by_engine": len(other),
            },
            "errors": {
                "unknown_model": caught(
                    lambda: openai.Completion.create(engine="ada-99", prompt="x")
                ),
                "bad_parameter": caught(
                    lambda: openai.Completion.create(engine=OLD, prompt="x", temperature=9)
                ),
            },
        }
    )
)
