"""Run with ``instructor``: typed answers in its modes, printed as JSON."""

import json
import sys
from typing import Literal

import instructor
from openai import OpenAI
from pydantic import BaseModel, Field

BASE_URL, MODEL = sys.argv[1:]


class Weather(BaseModel):
    """The weather in a city."""

    city: str = Field(max_length=20)
    unit: Literal["celsius", "fahrenheit"]
    degrees: int = Field(ge=-50, le=60)


found = {}
for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA, instructor.Mode.TOOLS_STRICT):
    client = instructor.from_openai(OpenAI(base_url=BASE_URL, api_key="none"), mode=mode)
    asked = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "What is the weather in Rome, in celsius?"}],
        "response_model": Weather,
        "max_retries": 0,
        "max_tokens": 100,
        "temperature": 0,
    }
    found[mode.name] = client.chat.completions.create(**asked).model_dump()
    *_, last = client.chat.completions.create_partial(**asked)
    found[f"{mode.name} streamed"] = last.model_dump()
print(json.dumps(found))
