"""How good the shipped autoencoders are on text held out, and the card that says so.

Loss recovered is (L_ablated - L_spliced) / (L_ablated - L), where L is the model's own loss, and
L_spliced that when the reconstruction takes the activation's place. It depends on what is ablated:
to 0, or to the mean. Both are stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from sae_activations import LAYER, TOO_LONG, Plan, Rows, first_layers, ids_of, kept, neurons, read
from sae_prose import LICENCES
from sae_text import CONTEXT, LETTERS_A_SOURCE
from sae_text import HELD_OUT as HELD_OUT_DOCUMENTS
from tiny_lm_card import load
from torch import Tensor

from course_utils.language import (
    activations,
    from_ids,
    hook_point,
    load_one_layer,
    load_smollm2,
    loss,
    spliced,
)
from course_utils.sae import SAE

WEIGHTS = Path(__file__).resolve().parents[1] / "course_utils" / "weights"
HELD_OUT = 500_000  # tokens, where there are so many
SPLICED = 64  # rows whose loss SmolLM2 is asked for: each takes it a second, five times
TRIAL = 250  # steps of the short runs that choose a learning rate
AT_ONCE = 4  # rows of which a model finds the loss in one go
CHECKED = 32  # rows that SmolLM2 reads in both precisions


def held_out_plan(rows: Rows, shares: dict[str, float], total: int, seed: int = 0) -> Plan:
    """Of each group its share of `total` rows, or all where there are fewer, in random order."""
    random = np.random.default_rng(seed)
    found = []
    for group, share in shares.items():
        wanted = min(len(rows[group]), round(share / sum(shares.values()) * total))
        found += [(group, int(i)) for i in random.permutation(len(rows[group]))[:wanted]]
    return [found[i] for i in random.permutation(len(found))]


@dataclass
class Subject:
    """One of the two models, at the place whose activations are taken apart."""

    name: str
    bos: int
    small: bool  # ours: all is quick

    def __post_init__(self) -> None:
        if self.small:
            self.model = load(WEIGHTS, self.name[-1])
        else:
            self.model = first_layers(LAYER + 1, torch.bfloat16)

    def activations(self, ids: Int[Tensor, "rows length"]) -> Float[Tensor, "n d_in"]:
        """Those that an autoencoder is trained on."""
        if self.small:
            return neurons(self.model, ids[:, :-1])[:, 1:].flatten(0, 1)
        x = read(self.model, ids)
        return x[kept(x, ids, self.bos)].float()

    def whole(self) -> tuple[object, str]:
        """The whole model, and what the place is called in it."""
        if self.small:
            model = load_one_layer(self.name[-1])
            return model, hook_point(model, 0, "mlp_post")
        model = load_smollm2()
        return model, hook_point(model, LAYER, "resid_post")


def untrained(sae: SAE, mean: Float[Tensor, " d_in"], seed: int = 0) -> SAE:
    """The control: random directions, the encoder their transpose, around the data's mean."""
    generator = torch.Generator().manual_seed(seed)
    return type(sae).begin(sae.config, mean[None], mean, generator)


@dataclass
class Sums:
    """What is added up over batches of activations."""

    error: float = 0.0
    active: float = 0.0
    used: Tensor | int = 0

    def add(self, sae: SAE, x: Float[Tensor, "batch d_in"]) -> None:
        values, indices = sae.encode_sparse(x)
        self.active += (values > 0).sum().item()
        counts = torch.bincount(indices[values > 0], minlength=sae.config.d_sae)
        self.used = self.used + counts
        self.error += (x - sae(x)).square().sum(dtype=torch.float64).item()


def measure(
    saes: dict[str, SAE], blocks: Callable[[], Iterator[Float[Tensor, "n d_in"]]]
) -> dict[str, dict[str, float]]:
    """Of each autoencoder, over all blocks: FVU, L0 and dead latents, and how many tokens.

    FVU is sum |x - x_hat|^2 / sum |x - mean|^2.
    """
    sums = {name: Sums() for name in saes}
    n, total, squares = 0, 0.0, 0.0
    for block in blocks():
        n += len(block)
        total = total + block.sum(0, dtype=torch.float64)
        squares += block.square().sum(dtype=torch.float64).item()
        for x in block.split(4096):
            for name, sae in saes.items():
                sums[name].add(sae, x)
    variance = squares - (total.square().sum() / n).item()
    return {
        name: {
            "tokens": n,
            "fvu": some.error / variance,
            "l0": some.active / n,
            "dead": int((some.used == 0).sum()),
            "rare": int((some.used < n / 100_000).sum()),
        }
        for name, some in sums.items()
    }


def losses(
    subject: Subject,
    saes: dict[str, SAE],
    mean: Float[Tensor, " d_in"],
    ids: Int[Tensor, "rows length"],
    longest: float,
) -> dict[str, float]:
    """The model's loss as it is, with each autoencoder spliced in, and with 0 or the mean instead.

    Tokens that the autoencoder was not trained on, what begins a text and those longer than
    `longest`, stay as they are in all of these.
    """
    model, point = subject.whole()

    def by(change: Callable[[Tensor], Tensor], some: Tensor) -> Callable[[Tensor], Tensor]:
        def replace(x: Tensor) -> Tensor:
            mask = x.norm(dim=-1) <= longest
            mask[:, 0] = False
            if not subject.small:  # there texts follow one another within a row
                mask &= some != subject.bos
            new = x.clone()
            new[mask] = change(x[mask])
            return new

        return replace

    changes: dict[str, Callable[[Tensor], Tensor]] = {"whole": lambda x: x, **saes}
    changes |= {"zero": torch.zeros_like, "mean": lambda x: mean.expand_as(x)}
    texts = [from_ids(model, some) for some in ids.split(AT_ONCE)]
    found = {}
    for name, change in changes.items():
        parts = []
        for some in texts:
            with spliced(model, point, by(change, some.ids)):
                parts.append(loss(model, some, batch_size=AT_ONCE, progress=False))
        found[name] = torch.cat(parts).nanmean().item()
        print(subject.name, name, found[name], flush=True)
    return found


def recovered(found: dict[str, float], name: str, ablation: str) -> float:
    """1: as good as the model itself; 0: as bad as the ablation."""
    return (found[ablation] - found[name]) / (found[ablation] - found["whole"])


def half_differs(ids: Int[Tensor, "rows length"], bos: int) -> dict[str, float]:
    """How far SmolLM2's activations in bfloat16 are from those in float32 of the whole model."""
    whole = load_smollm2()
    point = hook_point(whole, LAYER, "resid_post")
    exact = activations(whole, from_ids(whole, ids), point, progress=False).values[point]
    short = read(first_layers(LAYER + 1, torch.bfloat16), ids)
    mask = kept(short, ids, bos)[:, 1:]
    short, exact = short[:, 1:][mask].float(), exact.view(*mask.shape, -1)[mask]
    error = (short - exact).norm(dim=1)
    variance = (exact - exact.mean(0)).square().sum()
    return {
        "relative": (error / exact.norm(dim=1)).mean().item(),
        "fvu": (error.square().sum() / variance).item(),
        "tokens": int(mask.sum()),
    }


# The card


@dataclass(frozen=True)
class Trained:
    """What the card needs of one autoencoder."""

    subject: Subject
    sae: SAE
    rows: Rows  # held out, as is all below
    plan: Plan
    blocks: Callable[[], Iterator[Float[Tensor, "n d_in"]]]  # the activations, the plan's order
    run: dict  # how it was trained
    rates: list[list[float]]  # learning rate, FVU, dead latents of the short runs


def figures(one: Trained) -> dict:
    """All that is measured of one autoencoder, on text held out."""
    subject, sae = one.subject, one.sae
    few = torch.cat(list(islice(one.blocks(), 3)))  # enough for a mean and a median
    mean = few.mean(0)
    saes = {"trained": sae, "untrained": untrained(sae, mean)}
    measured = measure(saes, one.blocks)
    n_spliced = 4 * 512 if subject.small else SPLICED
    ids = ids_of(one.rows, one.plan[:n_spliced])[:, :CONTEXT]
    longest = float("inf") if subject.small else TOO_LONG * few.norm(dim=1).median().item()
    with torch.no_grad():
        found = losses(subject, saes, mean, ids, longest)
    return {"measured": measured, "losses": found, "spliced": ids[:, 1:].numel()}


def write_card(trained: dict[str, Trained], text: dict, shares: dict[str, float]) -> str:
    """The card, all its figures measured now. `text` and `shares` are SmolLM2's."""
    measured = {name: figures(one) for name, one in trained.items()}
    smollm2 = next((one for one in trained.values() if not one.subject.small), None)
    differs = half_differs(ids_of(smollm2.rows, smollm2.plan[:CHECKED]), smollm2.subject.bos)
    return CARD.format(
        runs=table_of_runs(trained),
        rates=table_of_rates(trained),
        figures=table_of_figures(measured),
        losses=table_of_losses(measured),
        groups=table_of_groups(text, shares),
        sources=table_of_sources(text, LICENCES),
        too_long=TOO_LONG,
        layer=LAYER,
        trial=TRIAL,
        context=CONTEXT,
        held_out=HELD_OUT_DOCUMENTS,
        letters=LETTERS_A_SOURCE / 1e6,
        **{f"differs_{key}": value for key, value in differs.items()},
    )


def table_of_figures(all_figures: dict[str, dict]) -> str:
    """A row an autoencoder and its control."""
    lines = []
    for name, one in all_figures.items():
        for kind, of in one["measured"].items():
            found = one["losses"]
            shares = [f"{recovered(found, kind, ablation):.1%}" for ablation in ("zero", "mean")]
            lines.append(
                f"| {name} | {kind} | {of['tokens']:,} | {of['fvu']:.3f} | {of['l0']:.1f} "
                f"| {of['dead']:,} | {of['rare']:,} | {found[kind]:.3f} | {' | '.join(shares)} |"
            )
    return "\n".join(lines)


def table_of_losses(all_figures: dict[str, dict]) -> str:
    """What the model's loss is, and what the two ablations make of it."""
    return "\n".join(
        f"| {name} | {one['spliced']:,} | {one['losses']['whole']:.3f} "
        f"| {one['losses']['mean']:.3f} | {one['losses']['zero']:.3f} |"
        for name, one in all_figures.items()
    )


def table_of_runs(trained: dict[str, Trained]) -> str:
    """How each was trained."""
    lines = []
    for name, one in trained.items():
        config, recipe = one.sae.config, one.run["recipe"]
        tokens = recipe["steps"] * recipe["batch_size"] / 1e6
        lines.append(
            f"| {name} | {config.d_in} | {config.d_sae:,} | {config.k} | {one.run['seed']} "
            f"| {recipe['steps']:,} | {tokens / one.run['passes']:.2f} | {one.run['passes']} "
            f"| {recipe['learning_rate']:g} "
            f"| {recipe['warmup_steps']} | {recipe['decay_steps']} | {one.run['last']['fvu']:.3f} "
            f"| {one.run['last']['dead']:.0f} |"
        )
    return "\n".join(lines)


def table_of_rates(trained: dict[str, Trained]) -> str:
    """The short runs."""
    return "\n".join(
        f"| {name} | {rate:g} | {fvu:.3f} | {dead:.0f} |"
        for name, one in trained.items()
        for rate, fvu, dead in one.rates
    )


def table_of_groups(text: dict, shares: dict[str, float]) -> str:
    """What SmolLM2 read."""
    total = sum(shares.values())
    return "\n".join(
        f"| {group} | {shares[group] / total:.1%} | {of['documents']:,} | {of['rows']:,} "
        f"| {of['rows held out']:,} | {of['semicolons']:,} |"
        for group, of in text["groups"].items()
    )


def table_of_sources(text: dict, licences: dict[str, str]) -> str:
    """Where the prose comes from."""
    lines = []
    for name, source in text["sources"].items():
        letters = ", ".join(f"{which} {n / 1e3:,.0f}" for which, n in source["letters"].items())
        lines.append(f"| {name} | {source['version']} | {licences[name]} | {letters} |")
    return "\n".join(lines)


CARD = """\
# Three sparse autoencoders

Written by `tools/sae_card.py` from measured values; do not edit. To make all of this again:

    python tools/train_saes.py

They are TopK autoencoders (`course_utils.sae`), each for one place in one model:

| file | model | activations |
|---|---|---|
| `one_layer_A_sae.safetensors` | our one-layer transformer, A | `mlp_post`: 512 ReLU neurons |
| `one_layer_B_sae.safetensors` | our one-layer transformer, B | `mlp_post`: 512 ReLU neurons |
| `smollm2_layer4_sae.safetensors` | SmolLM2-135M-Instruct | `resid_post` of layer {layer}: 576 |

The weights are kept with 16 bits; `load_sae` gives 32. They fit the activations as the model
computes them: nothing has to be scaled.

## Training

| which | d_in | d_sae | k | seed | steps | M tokens | passes | rate | rise | fall | FVU | dead |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
{runs}

Adam (0.9, 0.999), 4,096 tokens a step; the learning rate rises over the first steps and falls to 0
over the last ones. Every pass trains on all of the tokens. FVU is the fraction of variance
unexplained, a mean over the last 100 steps, and so is the number of dead latents. AuxK with
coefficient 1/32; a latent counts as dead after 500,000 tokens without use. The learning rate was
chosen in short runs of {trial} steps, by FVU on text held out:

| autoencoder | learning rate | FVU | not used in the last 100,000 tokens |
|---|---|---|---|
{rates}

What begins a text is left out. In SmolLM2 so are the tokens whose residual stream is more than
{too_long:g} times as long as the median one, a token in fifty: a few tokens have massive
activations, whatever they mean. There the model's first layers run in bfloat16. On
{differs_tokens:,} tokens held out, its activations are {differs_relative:.2%} of their length from
those in float32, on average; as a fraction of the variance that is {differs_fvu:.5f}.

## On text held out

FVU is sum |x - x_hat|^2 / sum |x - mean|^2. L0 is how many latents are active at a token. Dead
latents are active at none of the tokens held out, rare ones at less than one in 100,000. The
control is an untrained autoencoder with the same k: random directions, the encoder their transpose,
around the mean of the data. "Spliced" is the model's loss, in nats a token, when the reconstruction
takes the activation's place. Loss recovered is (L_ablated - L_spliced) / (L_ablated - L), against
ablating to 0 and against ablating to the mean. Tokens that are left out of training stay as they
are, in the splice and in both ablations. The last two columns are the loss recovered.

| autoencoder | which | tokens | FVU | L0 | dead | and rare | spliced | of zero | of mean |
|---|---|---|---|---|---|---|---|---|---|
{figures}

| model of | tokens spliced | loss as it is | mean ablation | zero ablation |
|---|---|---|---|---|
{losses}

## Text

Nothing of it is kept here. The one-layer models' autoencoders see the text of those models in the
same shares; what was held out there is held out here (see `ONE_LAYER.md`). SmolLM2 reads rows of
{context} tokens, documents one after the other. Its code, docstrings and documentation are that
same text; its prose is the paragraphs of Debian's packages that are sentences in the language they
are said to be in, at most {letters:.1f} million letters a source and language, and one book from
PyPI. In prose, documents with a semicolon are taken first. One document in {held_out} is held out,
by the hash of its text; rows are as prepared, and a training uses as many as it has tokens for.
With other versions than these, the text is another.

| group | share of tokens | documents | rows | rows held out | semicolons in documents |
|---|---|---|---|---|---|
{groups}

| source of prose | version | licence | letters, thousands |
|---|---|---|---|
{sources}
"""
