"""Run with ``langchain-openai`` and ``pydantic-ai``: tools and typed answers, printed as JSON."""

import asyncio
import json
import sys
from typing import Literal

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

BASE_URL, MODEL = sys.argv[1:]
QUESTION = "What is the weather in Rome, in celsius?"


class Weather(BaseModel):
    """The weather in a city."""

    city: str = Field(max_length=20)
    unit: Literal["celsius", "fahrenheit"]
    degrees: int = Field(ge=-50, le=60)


@tool
def get_weather(city: str, unit: Literal["celsius", "fahrenheit"]) -> str:
    """The weather in a city."""
    return "sunny"


@tool
def get_time() -> str:
    """What time it is."""
    return "noon"


def langchain() -> dict:
    chat = ChatOpenAI(
        base_url=BASE_URL, api_key="none", model=MODEL, temperature=0, max_tokens=100, max_retries=0
    )
    tools = [get_weather, get_time]
    found = {}
    for choice in ("required", "get_time", "auto", "none"):
        bound = chat.bind_tools(tools, tool_choice=choice, parallel_tool_calls=False)
        found[choice] = [[call["name"], call["args"]] for call in bound.invoke(QUESTION).tool_calls]
    bound = chat.bind_tools(tools, tool_choice="get_time", parallel_tool_calls=False)
    message = None
    for chunk in bound.stream(QUESTION):
        message = chunk if message is None else message + chunk
    found["streamed"] = [[call["name"], call["args"]] for call in message.tool_calls]
    for method in ("json_schema", "function_calling"):
        typed = chat.with_structured_output(Weather, method=method)
        found[method] = typed.invoke(QUESTION).model_dump()
    return found


async def pydantic_ai() -> dict:
    provider = OpenAIProvider(base_url=BASE_URL, api_key="none")
    model = OpenAIChatModel(MODEL, provider=provider)
    settings = {"temperature": 0, "max_tokens": 100}
    found = {}
    for name, output in (("tool", ToolOutput(Weather)), ("native", NativeOutput(Weather))):
        agent = Agent(model, output_type=output, model_settings=settings, retries=0)
        found[name] = (await agent.run(QUESTION)).output.model_dump()
        async with agent.run_stream(QUESTION) as result:
            found[f"{name} streamed"] = (await result.get_output()).model_dump()
    return found


print(json.dumps({"langchain": langchain(), "pydantic_ai": asyncio.run(pydantic_ai())}))
