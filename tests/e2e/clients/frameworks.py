"""Run with ``langchain-openai`` and ``pydantic-ai``: stream from a server, print it as JSON."""

import asyncio
import json
import sys

from langchain_openai import ChatOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

BASE_URL, MODEL = sys.argv[1:]
QUESTION = "one two three four"


def langchain() -> dict:
    chat = ChatOpenAI(
        base_url=BASE_URL, api_key="none", model=MODEL, temperature=0, max_tokens=6, max_retries=0
    )
    pieces = [chunk.content for chunk in chat.stream(QUESTION)]
    return {"whole": chat.invoke(QUESTION).content, "pieces": pieces}


async def pydantic_ai() -> dict:
    provider = OpenAIProvider(base_url=BASE_URL, api_key="none")
    agent = Agent(
        OpenAIChatModel(MODEL, provider=provider),
        instructions="Answer briefly.",
        model_settings={"temperature": 0, "max_tokens": 6},
    )
    async with agent.run_stream(QUESTION) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    whole = await agent.run(QUESTION)
    return {"whole": whole.output, "pieces": pieces}


print(json.dumps({"langchain": langchain(), "pydantic_ai": asyncio.run(pydantic_ai())}))
