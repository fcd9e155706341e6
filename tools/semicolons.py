"""The semicolon in a real model: is it one thing in code and in prose, layer by layer?

    python tools/semicolons.py            a table
    python tools/semicolons.py --json     the same figures, as JSON

For every snippet: the activations of SmolLM2-135M at its first semicolon, minus their mean over the
tokens before it. The mean over the snippets of a class is the class's direction, and of two
directions the cosine is asked, between two nulls (see `polysemanticity.signs`). The interval is a
bootstrap over snippets. Tokens with massive activations are left out of both; what they would do is
one of the controls. It takes about two minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from itertools import combinations

import torch

from course_utils import language
from course_utils.language.averages import AFTER, before_the_sign, massive, up_to_first
from course_utils.polysemanticity import Sign, SignComparison, compare_signs, sign_of
from course_utils.snippets import SIGNS, semicolons

SITES = ("mlp_post", "resid_post")
SHOWN = (0, 1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 20, 22, 25, 27, 29)
IN_TABLE = [
    ("javascript", "english"), ("javascript", "c"), ("javascript", "python"), ("javascript", "sql"),
    ("javascript", "html"), ("english", "french"), ("english", "german"), ("french", "german"),
    ("english", "greek"), ("javascript", "greek"), ("greek, U+003B", "greek, U+037E"),
]  # fmt: skip


def read(
    model, texts, pieces, *, whole=False, step_back=False, with_massive=False, seed=0
) -> dict[str, Sign]:
    """What a sign adds in a class of texts, at each site in all layers; or the token before it."""
    tokens = language.tokenize(model, texts)
    if whole:
        is_sign = torch.stack([tokens.containing(piece) for piece in pieces]).any(0)
    else:
        has = torch.stack([tokens.containing(piece) for piece in pieces]).any(0).any(1)
        texts = [text for text, chosen in zip(texts, has.tolist()) if chosen]
        tokens, is_sign = up_to_first(language.tokenize(model, texts), pieces)
    if step_back:
        tokens, is_sign = before_the_sign(tokens, is_sign)
    layers = range(model.cfg.n_layers)
    points = {site: [language.hook_point(model, k, site) for k in layers] for site in SITES}
    every = [point for some in points.values() for point in some]
    found = language.activations(model, tokens, every)
    keep = torch.ones(len(found), dtype=torch.bool)
    if not with_massive:
        keep = ~massive(found.values[points["resid_post"][AFTER]])
    sign = is_sign[found.text, found.position]
    return {
        site: sign_of(
            (found.values.pop(point)[keep] for point in some),
            found.text[keep],
            sign[keep],
            generator=torch.Generator().manual_seed(seed),
        )
        for site, some in points.items()
    }


def classes(model) -> tuple[dict[str, dict[str, Sign]], dict[str, dict[str, object]]]:
    """What the sign adds in each class, Greek also by the character that is used; and counts."""
    given = semicolons()
    greek = given["greek"]
    given |= {
        "greek, U+003B": [text for text in greek if SIGNS[1] not in text],
        "greek, U+037E": [text for text in greek if SIGNS[1] in text],
    }
    found, counts = {}, {}
    for number, (name, texts) in enumerate(given.items()):
        found[name] = read(model, texts, SIGNS, seed=number)
        tokens, is_sign = up_to_first(language.tokenize(model, texts), SIGNS)
        pieces = Counter(language.spell(model, int(i)) for i in tokens.ids[is_sign])
        counts[name] = {
            "snippets": len(texts),
            "without_massive": found[name]["mlp_post"].rows.shape[1],
            "tokens": dict(pieces.most_common()),
        }
    return found, counts


def controls(model, found) -> dict[str, dict[str, SignComparison]]:
    """The comma, the token before the semicolon, massive activations left in, and the way that
    section 7 of the design measured."""
    given = semicolons()
    before = {name: read(model, given[name], SIGNS, step_back=True, seed=55)
              for name in ("english", "javascript")}  # fmt: skip
    comma = {name: read(model, given[name], [","], seed=50) for name in ("english", "javascript")}
    loud = {name: read(model, given[name], SIGNS, with_massive=True, seed=60)
            for name in ("javascript", "english", "french")}  # fmt: skip
    design = {name: read(model, given[name], SIGNS, whole=True, with_massive=True, seed=70)
              for name in ("javascript", "english", "french")}  # fmt: skip
    pairs = {
        "javascript ; and english ,": (found["javascript"], comma["english"]),
        "javascript , and english ;": (comma["javascript"], found["english"]),
        "javascript , and english ,": (comma["javascript"], comma["english"]),
        "javascript and english, the token before": (before["javascript"], before["english"]),
        "javascript ; and english, the token before": (found["javascript"], before["english"]),
        "javascript, the token before, and english ;": (before["javascript"], found["english"]),
        "javascript and english, massive left in": (loud["javascript"], loud["english"]),
        "english and french, massive left in": (loud["english"], loud["french"]),
        "javascript and english, as in the design": (design["javascript"], design["english"]),
        "english and french, as in the design": (design["english"], design["french"]),
    }
    return {name: compared(*pair) for name, pair in pairs.items()}


def compared(first: dict[str, Sign], second: dict[str, Sign]) -> dict[str, SignComparison]:
    generator = torch.Generator().manual_seed(0)
    return {site: compare_signs(first[site], second[site], generator=generator) for site in SITES}


def rounded(comparison: SignComparison) -> dict[str, list[float]]:
    return {
        name: [round(x, 3) for x in values.tolist()] for name, values in vars(comparison).items()
    }


def line(comparison: SignComparison, layer: int) -> str:
    value, low, high, null_low, null_high, one = (
        float(getattr(comparison, part)[layer])
        for part in ("value", "low", "high", "null_low", "null_high", "one_low")
    )
    return (f"layer {layer:2}  {value:5.2f}  [{low:5.2f}, {high:5.2f}]   "
            f"{null_low:5.2f} to {null_high:4.2f}   {one:5.2f}")  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args(arguments).json
    torch.set_num_threads(1)
    language.fetch_smollm2(lambda words: print(words, file=sys.stderr))
    model = language.load_smollm2()
    found, counts = classes(model)
    halves = {"greek, U+003B", "greek, U+037E"}  # of the class "greek"
    pairs = {
        f"{a} and {b}": compared(found[a], found[b])
        for a, b in combinations(found, 2)
        if "greek" not in (a, b) or not {a, b} & halves
    }
    also = controls(model, found)
    if as_json:
        both = {"classes": counts, "pairs": pairs, "controls": also}
        print(json.dumps(both, indent=1, default=_jsonable))
        return 0
    for name, count in counts.items():
        print(f"{name}: {count['snippets']} snippets, {count['without_massive']} of them without "
              f"massive activations; signs {count['tokens']}")  # fmt: skip
    shown = {f"{a} and {b}": pairs.get(f"{a} and {b}") or pairs[f"{b} and {a}"]
             for a, b in IN_TABLE}  # fmt: skip
    for site in SITES:
        for name, comparison in (shown | also).items():
            print(
                f"\n{site}: {name}\n          cosine  95 % interval   no sign         one meaning"
            )
            print(*(line(comparison[site], layer) for layer in SHOWN), sep="\n")
    return 0


def _jsonable(value: object) -> object:
    if isinstance(value, SignComparison):
        return rounded(value)
    raise TypeError(type(value))


if __name__ == "__main__":
    raise SystemExit(main())
