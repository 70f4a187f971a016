"""AWS Lambda on loopback: HTTP in front, the invoke API, and frozen processes behind.

A function runs as it does there: in processes of AWS' own runtime client (``awslambdaric``), one
invocation at a time, stopped (SIGSTOP) whenever none runs. Asynchronous invocations are delivered
as often as ``copies`` says, and twice more when the function raises.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import web

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:bot:live"
API = "/2018-06-01/runtime"
RETRIES = 2
HANDLER = "botkit.functions.aws_lambda.handler"


class FunctionError(Exception):
    """The function raised; its ``errorMessage``."""


@dataclass
class Process:
    """One execution environment."""

    name: str
    log: Path
    seconds: float
    running: asyncio.subprocess.Process | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _events: asyncio.Queue[tuple[str, Any]] = field(default_factory=asyncio.Queue)
    _outcomes: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    _number: int = 0

    async def invoke(self, event: Any) -> Any:
        """Hand an event over and wait for the outcome; the caller holds the lock.

        Raises:
            FunctionError: The function raised.
        """
        self._number += 1
        number = f"{self.name}-{self._number}"
        outcome = self._outcomes[number] = asyncio.get_running_loop().create_future()
        self._events.put_nowait((number, event))
        self._signal(signal.SIGCONT)
        return await asyncio.wait_for(outcome, self.seconds)

    def app(self) -> web.Application:
        """The runtime API of this environment.

        https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
        """
        app = web.Application(client_max_size=10 << 20)
        app.router.add_get(f"{API}/invocation/next", self._next)
        app.router.add_post(f"{API}/invocation/{{number}}/response", self._response)
        app.router.add_post(f"{API}/invocation/{{number}}/error", self._error)
        return app

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.running is not None and self.running.returncode is None:
            os.kill(self.running.pid, number)

    async def _next(self, request: web.Request) -> web.Response:
        if self._events.empty():
            self._signal(signal.SIGSTOP)
        number, event = await self._events.get()
        deadline = int(1000 * (time.time() + self.seconds))
        headers = {
            "Lambda-Runtime-Aws-Request-Id": number,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
        }
        body = json.dumps(event).encode()
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def _response(self, request: web.Request) -> web.Response:
        self._outcomes[request.match_info["number"]].set_result(await request.json())
        return web.json_response({"status": "OK"}, status=202)

    async def _error(self, request: web.Request) -> web.Response:
        said = (await request.json())["errorMessage"]
        self._outcomes[request.match_info["number"]].set_exception(FunctionError(said))
        return web.json_response({"status": "OK"}, status=202)


class LambdaPlatform:
    """The platform; open it with ``async with``.

    Args:
        folder: For logs.
        variables: The function's environment variables.
        handler: Which function.
        processes: How many execution environments there are.
        copies: How often an asynchronous invocation is delivered, at the same time.
        retry_seconds: Between a failed asynchronous invocation and the next attempt.
        seconds: The function's timeout.
    """

    def __init__(
        self,
        folder: Path,
        variables: Mapping[str, str],
        *,
        handler: str = HANDLER,
        processes: int = 1,
        copies: int = 1,
        retry_seconds: float = 0.5,
        seconds: float = 60.0,
    ) -> None:
        self.copies = copies
        self.held: list[Any] | None = None
        """Asynchronous events that are kept back; None: none is."""
        self.outcomes: list[tuple[Any, Any]] = []
        """Asynchronous events and what became of each delivery."""
        self.url = ""
        self._folder, self._variables, self._handler = folder, dict(variables), handler
        self._retry_seconds = retry_seconds
        self.processes = [
            Process(f"process-{number}", folder / f"process-{number}.log", seconds)
            for number in range(processes)
        ]
        self._free = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        front = web.Application(client_max_size=20 << 20)
        front.router.add_post("/2015-03-31/functions/{name}/invocations", self._invoke_api)
        front.router.add_route("*", "/{path:.*}", self._http)
        self.url = await self._stack.enter_async_context(_listening(front))
        for process in self.processes:
            address = await self._stack.enter_async_context(_listening(process.app()))
            with process.log.open("wb") as log:
                process.running = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-m", "awslambdaric", self._handler),
                    env=self._environment(address),
                    cwd=self._folder,
                    stdout=log,
                    stderr=log,
                )
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        for process in self.processes:
            process.kill()
            assert process.running is not None
            await process.running.wait()
        await self._stack.aclose()

    @property
    def log(self) -> str:
        return "".join(process.log.read_text() for process in self.processes)

    async def invoke(self, event: Any) -> Any:
        """A synchronous invocation, in whichever process is free.

        Raises:
            FunctionError: The function raised.
        """
        async with self._free:
            while (process := self._idle()) is None:
                await self._free.wait()
            await process.lock.acquire()
        try:
            return await process.invoke(event)
        finally:
            process.lock.release()
            async with self._free:
                self._free.notify()

    def deliver(self, event: Any) -> None:
        """An asynchronous invocation, ``copies`` times."""
        for _ in range(self.copies):
            task = asyncio.create_task(self._deliver(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Return when no asynchronous invocation is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _idle(self) -> Process | None:
        return next((each for each in self.processes if not each.lock.locked()), None)

    async def _deliver(self, event: Any) -> None:
        for _ in range(1 + RETRIES):
            try:
                outcome = await self.invoke(event)
            except FunctionError as error:
                self.outcomes.append((event, error))
                await asyncio.sleep(self._retry_seconds)
            else:
                self.outcomes.append((event, outcome))
                return

    async def _invoke_api(self, request: web.Request) -> web.Response:
        assert request.match_info["name"] == ARN
        assert request.headers["X-Amz-Invocation-Type"] == "Event"
        assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")
        event = await request.json()
        if self.held is None:
            self.deliver(event)
        else:
            self.held.append(event)
        return web.Response(status=202)

    async def _http(self, request: web.Request) -> web.Response:
        answer = await self.invoke(await http_event(request))
        body = answer["body"]
        response = web.Response(
            status=answer["statusCode"],
            body=base64.b64decode(body) if answer["isBase64Encoded"] else body.encode(),
            headers=answer["headers"],
        )
        for cookie in answer.get("cookies", ()):
            response.headers.add("Set-Cookie", cookie)
        return response

    def _environment(self, address: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BOTKIT_", "AWS_", "SLACK_", "TELEGRAM_"))
        }
        return {
            **kept,
            "AWS_LAMBDA_RUNTIME_API": address.removeprefix("http://"),
            "AWS_LAMBDA_FUNCTION_NAME": "bot",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIASIMULATED",
            "AWS_SECRET_ACCESS_KEY": "simulated",
            "AWS_ENDPOINT_URL_LAMBDA": self.url,
            **self._variables,
        }


async def http_event(request: web.Request) -> dict[str, Any]:
    """A request as API Gateway's HTTP APIs and function URLs hand it over."""
    body = await request.read()
    headers = {name.lower(): ",".join(request.headers.getall(name)) for name in request.headers}
    cookies = headers.pop("cookie", "")
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(body).decode(), True
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.rel_url.raw_path,
        "rawQueryString": request.rel_url.raw_query_string,
        **({"cookies": cookies.split("; ")} if cookies else {}),
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "r3pmxmplak",
            "domainName": "r3pmxmplak.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": request.method,
                "path": request.rel_url.raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": "205.255.255.176",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "10/Mar/2026:05:16:23 +0000",
            "timeEpoch": 1583817383220,
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


@contextlib.asynccontextmanager
async def _listening(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
