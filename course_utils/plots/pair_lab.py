"""The pair lab's report, as it is drawn: a verdict, a cosine by layer, and numbers beside nulls."""

from __future__ import annotations

from typing import Any

from course_utils.plots.theme import PALETTE, number

CAVEAT = (
    "A rule of thumb, not a proof. Superposition means more features than dimensions, and nobody "
    "has counted them here. Two lists may also share space because of a third thing they have in "
    "common."
)


def pair_drawing() -> dict[str, Any]:
    """What of the picture never changes."""
    return {
        "ticks": [{"value": t, "text": number(t)} for t in (-1.0, -0.5, 0.0, 0.5, 1.0)],
        "color": PALETTE[0],
        "legend": {"value": "cosine, with its 95 % interval", "null": "random lists"},
        "caveat": CAVEAT,
    }


def pair_state(report: Any, first_name: str, second_name: str) -> dict[str, Any]:
    """A report of `polysemanticity.pair_report`, in words and numbers."""
    judged = f"layers {report.judged[0]} to {report.judged[-1]}"
    views = (("ordinary sentences", report.from_ordinary), ("many kinds", report.from_kinds))
    rows = [
        {
            "what": f"Probe that tells the two lists apart, mean of {judged}",
            "value": f"{report.mean_probe:.0%} of new cases right",
            "null": f"shuffled labels: at most {report.probe_null:.0%}",
        },
        *(
            {
                "what": f"Cosine of the two directions seen from {pool}, mean of {judged}",
                "value": f"{number(view.cosine)} {_span(view.low, view.high)}",
                "null": f"random lists: {_span(view.null_low, view.null_high)}",
            }
            for pool, view in views
        ),
        *(
            {
                "what": f"Overlap: a probe for “{one}” says yes to “{other}”",
                "value": f"{in_other:.0%}",
                "null": f"ordinary sentences: {in_ordinary:.0%}, its own: {in_own:.0%}",
            }
            for one, other, in_other, in_ordinary, in_own in (
                (first_name, second_name, report.first_in_second, report.first_in_ordinary,
                 report.first_in_first),
                (second_name, first_name, report.second_in_first, report.second_in_ordinary,
                 report.second_in_second),
            )
        ),
        {
            "what": f"Of the {report.n_strongest} neurons in layer {report.neuron_layer} that "
            "react most to each, the same",
            "value": f"{report.n_shared}",
            "null": f"random lists: up to {report.shared_null}",
        },
    ]  # fmt: skip
    return {
        "verdict": report.verdict[0].upper() + report.verdict[1:],
        "reason": report.reason,
        "title": "Cosine, seen from ordinary sentences",
        "layers": list(report.layers),
        "judged": [layer in report.judged for layer in report.layers],
        **{
            part: [round(x, 4) for x in getattr(report, part)]
            for part in ("cosine", "low", "high", "null_low", "null_high")
        },
        "texts": [number(x) for x in report.cosine],
        "rows": rows,
        "words": "Cosine by layer, and of random lists: "
        + "; ".join(
            f"layer {layer} {number(value)}, {number(low)} to {number(high)}"
            for layer, value, low, high in zip(
                report.layers, report.cosine, report.null_low, report.null_high
            )
        )
        + ".",
    }


def _span(low: float, high: float) -> str:
    return f"({number(low)} to {number(high)})"
