"""Feature directions in space: the solid that they make, and how much of a dimension each has."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.plots.theme import as_array, feature_colors, feature_names, listed, number


@dataclass(frozen=True)
class Look:
    """What somebody who knows geometry says of a matrix W with n columns, for a picture of it.

    name: of the shape. dimensionality: D_i of each column, (n,).
    faces: of the convex hull, each the columns at its corners in order around it; none where there
    is no solid. One face is a flat shape.
    """

    name: str
    dimensionality: Any
    faces: list[list[int]]


def polytope_state(W: Any, look: Look) -> dict[str, Any]:
    """A picture of the columns of W as numbers and colours. W: (3, n), or fewer rows: drawn flat.

    The solid is turned upright, so that equal shapes look alike however training turned them.

    Raises ValueError when W has no such shape or a number that is not finite, or when the look
    does not belong to it.
    """
    W, shares = _space(W, look)
    rows, n = W.shape
    faces = [[int(i) for i in face] for face in look.faces]
    names = feature_names(n)
    shown = np.linalg.norm(W, axis=0) > 0.5
    missing = [name for name, there in zip(names, shown) if not there]
    solid = _upright(np.vstack([W, np.zeros((3 - rows, n))]), faces)
    edges = _edges(faces)
    total = number(shares.sum())
    dimensions = f"{rows} dimension{'s' if rows > 1 else ''}"
    summary = (
        f"{_capital(look.name)}: {shown.sum()} of {n} features are represented, and their "
        f"dimensionalities add up to {total} of {dimensions}."
    )
    each = ", ".join(f"{name} {number(share)}" for name, share in zip(names, shares))
    return {
        "names": names,
        "colors": feature_colors(n),
        "vertices": solid.T.round(5).tolist(),
        "faces": faces,
        "edges": edges,
        "title": textwrap.wrap(look.name, 26, max_lines=2, placeholder=" …"),
        "bars": [{"value": value, "text": number(value)} for value in shares.tolist()],
        "total": {"value": float(shares.sum()), "text": total},
        "mark": {"value": rows, "text": dimensions},
        "missing": missing,
        "summary": summary,
        "words": (
            f"{summary} Dimensionality of each: {each}. "
            f"{_drawn(len(faces), len(edges))} Not represented: {listed(missing)}."
        ),
    }


def _space(W: Any, look: Look) -> tuple[np.ndarray, np.ndarray]:
    W, shares = as_array(W), as_array(look.dimensionality)
    if W.ndim != 2 or W.shape[0] not in (1, 2, 3) or not W.shape[1]:
        raise ValueError(f"W has shape {W.shape}; a solid needs (3, n_features)")
    n = W.shape[1]
    if shares.shape != (n,):
        raise ValueError(f"dimensionality has shape {shares.shape}, but W has {n} columns")
    if not (np.isfinite(W).all() and np.isfinite(shares).all()):
        raise ValueError("W or its dimensionality is not finite: training diverged")
    for face in look.faces:
        if len(set(face)) < 3 or len(set(face)) < len(face) or not set(face) <= set(range(n)):
            raise ValueError(
                f"{face} is no face: use 3 or more different columns from 0 to {n - 1}"
            )
    return W, shares


def _edges(faces: list[list[int]]) -> list[list[int]]:
    """The sides of the faces, each once."""
    sides = {tuple(sorted(ends)) for face in faces for ends in zip(face, [*face[1:], face[0]])}
    return [list(ends) for ends in sorted(sides)]


def _upright(W: np.ndarray, faces: list[list[int]]) -> np.ndarray:
    """W (3, n) rotated: row 1 points up. Lengths, angles and handedness stay.

    A solid with a face of more than three corners stands on the largest; of others, the first
    column that has an opposite points up (an apex of a bipyramid), or column 0 for want of any.
    """
    base = max(faces, key=len, default=[])
    if len(base) > 3 and len(faces) > 1:
        corners = W[:, base]
        middle = corners.mean(1, keepdims=True)
        up = np.linalg.svd(corners - middle)[0][:, 2]
        up = up * (1 if up @ (W.mean(1) - middle[:, 0]) > 0 else -1)
    else:
        lengths = np.linalg.norm(W, axis=0)
        opposite = (W.T @ W / np.maximum(np.outer(lengths, lengths), 1e-12)).min(1)
        opposite[lengths <= 0.5 * lengths.max()] = np.inf  # a stub's direction is noise
        up = W[:, np.argmax(opposite <= opposite.min() + 0.1)] if lengths.any() else np.eye(3)[1]
    up = up / np.linalg.norm(up)
    level = np.linalg.norm(W - np.outer(up, up @ W), axis=0)
    side = W[:, np.argmax(level >= 0.9 * level.max())]
    Q, R = np.linalg.qr(np.column_stack([up, side]), "complete")
    up, right = Q[:, 0] * np.sign(R[0, 0]), Q[:, 1] * (np.sign(R[1, 1]) or 1)
    return np.stack([right, up, np.cross(right, up)]) @ W


def _drawn(faces: int, edges: int) -> str:
    return {
        0: "Arrows only, without a solid.",
        1: f"Drawn flat, with {edges} edges.",
    }.get(faces, f"Drawn with {faces} faces and {edges} edges.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
