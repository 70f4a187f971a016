"""``botkit aot``: what a model's steps would be on accelerators that are not here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click


@click.command(short_help="Compile a model for accelerators that are not here.")
@click.option(
    "--topology",
    required=True,
    metavar="NAME",
    help="Devices: v5e:1x1, v5e:2x4, v5e:4x4 ... or h100:1 to h100:8.",
)
@click.option(
    "--model",
    default="llama-3-8b",
    show_default=True,
    help="Shape: smollm2-135m, llama-3-8b, llama-3-70b, or that of an installed model.",
)
@click.option("--slots", default=32, show_default=True, type=click.IntRange(1, 4096))
@click.option(
    "--context", default=2048, show_default=True, type=click.IntRange(64, 1 << 20), help="Per slot."
)
@click.option(
    "--prefill",
    default=512,
    show_default=True,
    type=click.IntRange(1, 1 << 16),
    help="Prompt tokens read at once.",
)
@click.option(
    "--weights", default="int8", show_default=True, type=click.Choice(["int8", "bfloat16"])
)
@click.option(
    "--tensor",
    type=click.IntRange(1, 256),
    help="Devices that share a layer's heads; as many as divide them when left out.",
)
@click.option(
    "--step",
    "steps",
    multiple=True,
    type=click.Choice(["decode", "prefill"]),
    help="Only this one; repeatable.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
def aot(
    topology: str,
    model: str,
    slots: int,
    context: int,
    prefill: int,
    weights: Literal["int8", "bfloat16"],
    tensor: int | None,
    steps: tuple[Literal["decode", "prefill"], ...],
    json_file: Path | None,
) -> None:
    """Compile with the real TPU or GPU compiler, and report memory, cost and exchanges.

    No accelerator and no weights are needed, but the compiler's own environment is; without it the
    command says how to make it. A large model takes minutes. The exit code is 1 when a step does
    not fit into a chip's memory.
    """
    from botkit.settings import Settings
    from botkit_models.aot.models import shape_of
    from botkit_models.aot.order import Order
    from botkit_models.aot.report import Report, show
    from botkit_models.aot.run import compile_ahead

    home = Settings.load().home
    order = Order(
        config=shape_of(model, home),
        topology=topology,
        slots=slots,
        context=context,
        prefill=prefill,
        weights=weights,
        tensor=tensor,
        steps=steps or ("decode", "prefill"),
    )
    click.echo(f"compiling {model} for {topology} ...", err=True)
    report = Report(model, order, compile_ahead(order, home))
    show(report)
    if json_file is not None:
        json_file.write_text(report.as_json() + "\n")
        click.echo(f"written: {json_file}")
    if not report.fits:
        raise SystemExit(1)
