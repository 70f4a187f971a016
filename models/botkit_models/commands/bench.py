"""``botkit bench``: how fast, how large and how good the local model is here."""

from __future__ import annotations

from pathlib import Path

import click

from botkit_models.bench.parts import PARTS, Part


@click.command(short_help="Measure the local model, side by side with llama.cpp.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
@click.option("--quality", is_flag=True, help="Also compare int8 with float32 on dialogues.")
@click.option("--quick", is_flag=True, help="Measure once: to see that it works, not how fast.")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Only this part; repeatable.")
@click.option("--model", metavar="NAME", help="Model to measure [BOTKIT_MODEL].")
@click.option(
    "--gguf",
    type=click.Path(path_type=Path),
    help="GGUF file the model was made of; a known model's is downloaded once when left out.",
)
@click.option(
    "--llama-python",
    metavar="PATH",
    envvar="BOTKIT_BENCH_LLAMA_PYTHON",
    show_envvar=True,
    help="Python interpreter that has llama-cpp-python, when this one does not.",
)
@click.option(
    "--shared",
    type=click.Path(path_type=Path),
    envvar="BOTKIT_SHARED",
    show_envvar=True,
    help="Folder with datasets/sgd, for --quality; ../shared when left out.",
)
def bench(
    json_file: Path | None,
    quality: bool,
    quick: bool,
    only: tuple[Part, ...],
    model: str | None,
    gguf: Path | None,
    llama_python: str | None,
    shared: Path | None,
) -> None:
    """Measure the model's speed and memory, the server, `import botkit` and, if asked, quality.

    Both sides of a comparison take turns in this one run; figures are medians. The exit code is 0
    whatever comes out: the table says what falls short of what is required.
    """
    from botkit.settings import Settings
    from botkit_models.bench.llama import find_llama_python
    from botkit_models.bench.report import as_json, show
    from botkit_models.bench.run import Bench, Plan

    plan = Plan(
        settings=Settings.load(model=model),
        parts=only or tuple(part for part in PARTS if part != "quality" or quality),
        quick=quick,
        gguf=gguf,
        llama=find_llama_python(llama_python),
        shared=shared,
        tell=lambda text: click.echo(text, err=True),
    )
    run = Bench(plan)
    rows = run.rows()
    show(rows)
    if json_file is not None:
        json_file.write_text(as_json(rows, run.conditions()) + "\n")
        click.echo(f"written: {json_file}")
