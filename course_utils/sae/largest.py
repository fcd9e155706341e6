"""The k largest of many numbers: of rows that are there, and of a product that is never made whole.

`top_k` looks at few of the numbers more than once. `largest` finds the k largest of x W + b where
it does not pay to compute all of that to seven digits: two are enough to rule out nearly all.
Both take exactly the k largest; only which of equal numbers come in is left open.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.sae.sparse import Places

SMALL = 256  # so many numbers are sorted at once; must be a power of 2
WIDTH = 4
BLOCK = 2**22  # numbers of a product at a time: they stay in the processor's cache
SPARE = 16  # candidates beyond the k that are looked for, at least


def top_k(
    scores: Float[Tensor, "batch n"], k: int
) -> tuple[Float[Tensor, "batch k"], Int[Tensor, "batch k"]]:
    """The k largest numbers of each row and their columns, in no order: `torch.topk`, but faster.

    The columns are dealt into groups of 4, and of each group the maximum is taken. The k largest
    numbers are in the k groups of the largest maxima: a number of another group has k larger ones
    before it. Which groups these are is found in the same way, until few numbers are left.

    Degenerate case: of equal numbers any may be taken, as `torch.topk` does.

    Raises:
        ValueError: k is below 1 or above the number of columns.
    """
    batch, n = scores.shape
    if not 1 <= k <= n:
        raise ValueError(f"k is {k}; use a number between 1 and {n}, the number of columns.")
    if n <= SMALL or n % WIDTH or n // WIDTH < 2 * k:
        return _top_k_of_few(scores, k)
    groups = scores.view(batch, WIDTH, n // WIDTH)  # group g: columns g, g + n / 4, ...
    best = top_k(groups.amax(1), k)[1]
    members = groups.gather(2, best.unsqueeze(1).expand(batch, WIDTH, k)).view(batch, WIDTH * k)
    values, place = _top_k_of_few(members, k)
    column = best.gather(1, place % k)
    return values, column.add_(place.div_(k, rounding_mode="floor"), alpha=n // WIDTH)


def _top_k_of_few(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """By sorting, where NumPy is several times as fast as PyTorch.

    A float32 that is written as a float64 ends in 29 bits of 0. There the column is noted: it
    comes along when the numbers are sorted, and does not change the order of different ones.
    """
    n = scores.shape[1]
    if n > SMALL or scores.dtype == torch.float64:
        return torch.topk(scores, k, sorted=False)
    noted = scores.double().view(torch.int64).bitwise_or_(torch.arange(n)).view(torch.float64)
    noted.numpy().sort(axis=1)
    best = noted[:, n - k :].contiguous()
    return best.to(scores.dtype), best.view(torch.int64).bitwise_and_(SMALL - 1)


def largest(
    x: Float[Tensor, "batch d_in"],
    table: Float[Tensor, "d_sae d_in"],
    bias: Float[Tensor, " d_sae"],
    k: int,
    *,
    screened: bool | None = None,
) -> tuple[Float[Tensor, "batch k"], Int[Tensor, "batch k"]]:
    """The k largest numbers of each row of x table^T + bias, and their columns, in no order.

    On processors that multiply numbers of two digits (bfloat16) twice as fast, or more, the product
    is first computed so, with what the rounding can have taken away put on top: an upper bound of
    each number. The few with the largest bounds are computed precisely. If the k-th of them is
    above all other bounds, nothing was missed; a row where it isn't is computed whole.

    Args:
        screened: whether to do so; None means where it is faster. The result is the same but for
            the last digit.

    Raises:
        ValueError: k is below 1 or above d_sae.
    """
    rows = max(1, BLOCK // len(table))
    if screened is None:
        screened = can_screen() and x.dtype == torch.float32 and 8 * k <= len(table) >= 1024
    if screened:
        return _screened(x, table, bias, k, rows)
    found = [top_k(torch.addmm(bias, some, table.T), k) for some in x.split(rows)]
    values, columns = zip(*found)
    return torch.cat(values), torch.cat(columns)


def can_screen() -> bool:
    """Whether this processor has instructions for products of bfloat16."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _screened(x: Tensor, table: Tensor, bias: Tensor, k: int, rows: int) -> tuple[Tensor, Tensor]:
    left, right = _bounding_factors(x, table, bias)
    count = min(k + max(3 * k // 4, SPARE), len(table))
    values, columns = x.new_empty(len(x), k), torch.empty(len(x), k, dtype=torch.int64)
    sure = torch.empty(len(x), dtype=torch.bool)
    for start in range(0, len(x), rows):
        here = slice(start, start + rows)
        bounds, candidates = top_k(left[here] @ right.T, count)
        z = Places.of_rows(candidates, len(table)).dots(x[here], table).view(-1, count)
        z += bias[candidates]
        values[here], place = _top_k_of_few(z, k)
        columns[here] = candidates.gather(1, place)
        highest_other = bounds.amin(1).float()  # at least all those that are no candidates
        highest_other += highest_other.abs() * 2**-7  # was rounded to two digits, too
        sure[here] = highest_other < values[here].amin(1)
    unsure = (~sure).nonzero().squeeze(1)
    if len(unsure) and count < len(table):
        whole = largest(x[unsure], table, bias, k, screened=False)
        values[unsure], columns[unsure] = whole
    return values, columns


def _bounding_factors(x: Tensor, table: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Two matrices of bfloat16 whose product is nowhere below x table^T + bias.

    With x' and w' for x and a row w of the table when rounded, by Cauchy and Schwarz

        x w <= x' w' + |x - x'| |w'| + |x| |w - w'|

    The last two terms are two more columns of each matrix. The bias is rounded to two digits, and
    what that leaves to two more: two columns, with a 1 each on the side of x. All these columns are
    rounded up, and a ten-thousandth is added for the rounding within the products.
    """
    d_in = table.shape[1]
    left = torch.empty(len(x), d_in + 4, dtype=torch.bfloat16)
    right = torch.empty(len(table), d_in + 4, dtype=torch.bfloat16)
    left[:, :d_in], right[:, :d_in] = x, table
    norm = torch.linalg.vector_norm
    length, lost = norm(x, dim=1), norm(x - left[:, :d_in], dim=1)
    up = 1 + 2**-7
    left[:, d_in] = (lost + 1e-4 * length) * up
    left[:, d_in + 1] = length * up
    left[:, d_in + 2 :] = 1
    right[:, d_in] = norm(table, dim=1) * up**2  # the rounded row may be longer
    right[:, d_in + 1] = norm(table - right[:, :d_in], dim=1) * up
    right[:, d_in + 2] = bias
    rest = bias - right[:, d_in + 2]
    right[:, d_in + 3] = rest + rest.abs() * 2**-7 + bias.abs() * 1e-4
    return left, right
