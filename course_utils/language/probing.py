"""k-sparse probes, as transformer_lens fits them, averaged over several splits.

A k-sparse probe is a logistic regression that may look at k neurons only. Which ones, and with
which weights, is found on one part of the texts; its accuracy is that on the others.

Source: Gurnee et al., "Finding Neurons in a Haystack" (2023).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformer_lens.tools.analysis import sparse_probing


@dataclass(frozen=True)
class Probe:
    """Accuracy on texts that were held out, from 0 to 1, and what shuffled labels give."""

    accuracy: float  # mean over the splits
    null: tuple[float, ...]  # one a shuffle of the labels of the training texts
    neurons: tuple[int, ...]  # of the first split


def sparse_probe(
    features: Float[Tensor, "n_texts n_units"],
    labels: Bool[Tensor, " n_texts"],
    *,
    k: int = 4,
    n_splits: int = 3,
    n_shuffles: int = 6,
    seed: int = 0,
) -> Probe:
    """How well k units tell two kinds of texts apart. One row a text: none is on both sides.

    Raises:
        ValueError: there are fewer than 4 texts of a kind, or as transformer_lens says.
    """
    if min(int(labels.sum()), int((~labels).sum())) < 4:
        raise ValueError("there are fewer than 4 texts of a kind; a probe needs some to learn from "
                         "and some to be tried on.")  # fmt: skip
    sweeps = [
        sparse_probing.sweep_sparse_probe(
            features, labels, ks=(k,), n_label_shuffles=n_shuffles, seed=seed + split,
            preprocess="standardize",
        )
        for split in range(n_splits)
    ]  # fmt: skip
    accuracy = [sweep.results[0].metrics.accuracy for sweep in sweeps]
    shuffled = [sweep.label_shuffle_controls[0].accuracy for sweep in sweeps]
    converged = min(map(len, shuffled))
    null = torch.stack([values[:converged] for values in shuffled]).mean(0)
    return Probe(
        sum(accuracy) / n_splits,
        tuple(null.tolist()),
        tuple(sweeps[0].results[0].selected_features.tolist()),
    )


def says_yes(
    features: Float[Tensor, "n_texts n_units"],
    labels: Bool[Tensor, " n_texts"],
    others: Float[Tensor, "n_others n_units"],
    *,
    k: int = 4,
    n_splits: int = 3,
    seed: int = 0,
) -> tuple[float, float, float]:
    """How often a probe for the label says yes: to texts with the label and to those without, of
    both the ones that were held out, and to other texts, which it never learned from.

    Raises:
        ValueError: as transformer_lens says.
    """
    yes: tuple[list[Tensor], ...] = ([], [], [])
    for split in range(n_splits):
        fit = sparse_probing.fit_sparse_probe(
            features, labels, k=k, seed=seed + split, preprocess="standardize"
        )
        held_out = fit.test_indices
        own, rest = held_out[labels[held_out]], held_out[~labels[held_out]]
        for found, rows in zip(yes, (features[own], features[rest], others)):
            scores = rows[:, fit.selected_features].double() - fit.preprocess_mean
            scores = scores / fit.preprocess_scale @ fit.coefficients + fit.intercept
            found.append((scores > 0).float())
    own_share, rest_share, other_share = (float(torch.cat(found).mean()) for found in yes)
    return own_share, rest_share, other_share
