# SPDX-License-Identifier: Apache-2.0
"""Commands of the orchestrator: `mec simulate`, `mec bench-meo`, `mec demo-meo`."""

from pathlib import Path

import click

from mec.meo.bench import SIZES, measure
from mec.meo.demo import Demo
from mec.meo.placement import Rules
from mec.meo.simulation.chart import chart
from mec.meo.simulation.model import SCENARIOS, STRATEGIES, Size, compare
from mec.meo.simulation.report import table
from submgr.platform.http.listen import ListenError
from submgr.platform.progress import Progress
from submgr.platform.termination import run_until_terminated


@click.command()
@click.option("--platforms", default=200, show_default=True, type=click.IntRange(2, 10_000))
@click.option("--contexts", default=4000, show_default=True, type=click.IntRange(1, 1_000_000), help="At a time.")
@click.option("--hours", default=2.0, show_default=True, type=click.FloatRange(0.01, 1000.0))
@click.option("--stay", default=1200.0, show_default=True, type=click.FloatRange(10.0, 1e6), help="Of a context, s.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1, 100), help="Averaged.")
@click.option("--migrations", default=10, show_default=True, type=click.IntRange(0), help="Per round.")
@click.option("--max-load", default=0.8, show_default=True, type=click.FloatRange(0.0, 1.0))
@click.option("--min-key", default=0.1, show_default=True, type=click.FloatRange(0.0, 1.0))
@click.option("--alpha", default=0.5, show_default=True, type=click.FloatRange(0.0, 1.0))
@click.option("--seed", default=1, show_default=True)
@click.option("--chart", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write an SVG file.")
def simulate(
    platforms: int,
    contexts: int,
    hours: float,
    stay: float,
    runs: int,
    migrations: int,
    max_load: float,
    min_key: float,
    alpha: float,
    seed: int,
    path: Path | None,
) -> None:
    """Compare the scores, and a draw without one, on platforms whose load and keys come and go."""
    size = Size(platforms, contexts, hours, stay)
    rules = Rules(max_load=max_load, min_key=min_key, alpha=alpha)
    results = {}
    with Progress(len(SCENARIOS) * len(STRATEGIES) * runs * sum(size.rounds)) as progress:
        for scenario in SCENARIOS:
            progress.says(scenario.name)
            results[scenario.name] = compare(
                scenario,
                size,
                rules,
                seeds=range(seed, seed + runs),
                migrations_per_round=migrations,
                done=progress.step,
            )
    click.echo(table(results))
    if path is not None:
        path.write_text(chart(results), encoding="utf-8")


@click.command("bench-meo")
def bench_meo() -> None:
    """Measure how long admissions take, by how many platforms there are."""
    click.echo("| platforms | draw, ms | admission, ms |")
    click.echo("|---|---|---|")
    with Progress(len(SIZES)) as progress:
        for platforms in SIZES:
            progress.says(f"{platforms} platforms")
            (timing,) = measure((platforms,))
            progress.step()
            progress.prints(f"| {timing.platforms} | {timing.draw:.3f} | {timing.admission:.3f} |")


@click.command("demo-meo")
def demo_meo() -> None:
    """Run an orchestrator with simulated platforms and a device, until SIGTERM."""
    demo = Demo(click.echo)

    def start() -> None:
        demo.start()
        click.echo("\n".join(demo.lines))

    try:
        run_until_terminated(start, demo.stop)
    except ListenError as failed:
        raise click.ClickException(str(failed)) from failed
