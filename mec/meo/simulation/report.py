# SPDX-License-Identifier: Apache-2.0
"""The results of simulations as a table."""

from collections.abc import Callable, Mapping, Sequence

from mec.meo.simulation.model import STRATEGIES, Result

Results = Mapping[str, Mapping[str, Result]]
"""By scenario and strategy."""

MEASURES: Sequence[tuple[str, str, Callable[[Result], float], Callable[[float], str]]] = (
    ("rejected", "Rejected contexts", lambda result: result.rejected, lambda value: f"{value:.1%}"),
    ("migrations", "Migrations per context", lambda result: result.migrations, lambda value: f"{value:.3f}"),
    ("overload", "Time over the limits", lambda result: result.overload, lambda value: f"{value:.1%}"),
    ("keyless", "Time short of keys", lambda result: result.keyless, lambda value: f"{value:.2%}"),
    ("fairness", "Fairness of the loads", lambda result: result.fairness, lambda value: f"{value:.3f}"),
)
"""Name, title, which figure it is, and how it is written."""


def table(results: Results) -> str:
    """Markdown: a row per scenario and strategy. The best figure of a scenario is bold, and those written alike."""
    lines = ["| scenario | score | " + " | ".join(title for _, title, _, _ in MEASURES) + " |"]
    lines.append("|---|---" + "|---" * len(MEASURES) + "|")
    for scenario, by_strategy in results.items():
        best = {
            name: write((max if name == "fairness" else min)(figure(result) for result in by_strategy.values()))
            for name, _, figure, write in MEASURES
        }
        for strategy in STRATEGIES:
            cells = []
            for name, _, figure, write in MEASURES:
                text = write(figure(by_strategy[strategy]))
                cells.append(f"**{text}**" if text == best[name] else text)
            lines.append(f"| {scenario} | {strategy} | " + " | ".join(cells) + " |")
            scenario = ""
    return "\n".join(lines)
