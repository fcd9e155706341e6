"""The k largest of many numbers: of rows that are there, and of a product that is never made whole.

`top_k` looks at few of the numbers more than once. `Largest` finds the k largest of x W + b where
it does not pay to compute all of that to seven digits: two are enough to rule out nearly all.
Both take exactly the k largest; only which of equal numbers come in is left open.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.sae.sparse import Places
from course_utils.sae.team import in_parts

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
        return _top_k_of_few(scores, torch.arange(n).expand(batch, n), k)
    groups = scores.view(batch, WIDTH, n // WIDTH)  # group g: columns g, g + n / 4, ...
    best = top_k(groups.amax(1), k)[1]
    columns = best.unsqueeze(1) + torch.arange(0, n, n // WIDTH).unsqueeze(1)
    columns = columns.view(batch, WIDTH * k)
    return _top_k_of_few(scores.gather(1, columns), columns, k)


# In a type twice as long the numbers end in so many bits of 0.
LONGER = {
    torch.bfloat16: (torch.float32, torch.int32, 16),
    torch.float32: (torch.float64, torch.int64, 29),
}


def _top_k_of_few(scores: Tensor, columns: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """By sorting, where NumPy is several times as fast as PyTorch.

    In the last bits of a longer number its column is noted: that comes along when the numbers are
    sorted, and does not change the order of different ones.
    """
    n = scores.shape[1]
    if n > SMALL or scores.dtype not in LONGER:
        values, place = torch.topk(scores, k, sorted=False)
        return values, columns.gather(1, place)
    longer, whole, bits = LONGER[scores.dtype]
    noted = scores.to(longer).view(whole).bitwise_or_(columns.to(whole)).view(longer)
    noted.numpy().sort(axis=1)
    best = noted[:, n - k :].contiguous().view(whole)
    found = best.bitwise_and(2**bits - 1).long()
    return best.bitwise_and_(-(2**bits)).view(longer).to(scores.dtype), found


class Largest:
    """Finds the k largest numbers of each row of x table^T + bias.

    On processors that multiply numbers of two digits (bfloat16) twice as fast, or more, the product
    is first computed so, with what the rounding can have taken away put on top: an upper bound of
    each number. The few with the largest bounds are computed precisely. If the k-th of them is
    above all other bounds, nothing was missed; where it isn't, more are computed, or at last all.

    Args:
        screened: whether to do so; None means where it is faster. The result is the same but for
            the last digit.

    Raises:
        ValueError: k is below 1 or above d_sae.
    """

    def __init__(
        self,
        table: Float[Tensor, "d_sae d_in"],
        bias: Float[Tensor, " d_sae"],
        k: int,
        *,
        screened: bool | None = None,
    ) -> None:
        d_sae = len(table)
        if not 1 <= k <= d_sae:
            raise ValueError(f"k is {k}; use a number between 1 and d_sae = {d_sae}.")
        if screened is None:
            fits = 8 * k <= d_sae and 2**10 <= d_sae <= 2**16
            screened = can_screen() and table.dtype == torch.float32 and fits
        self.table, self.bias, self.k = table, bias, k
        self.right = _right_factor(table, bias) if screened else None
        self.rows = max(1, BLOCK // d_sae)

    def __call__(
        self, x: Float[Tensor, "batch d_in"]
    ) -> tuple[Float[Tensor, "batch k"], Int[Tensor, "batch k"]]:
        """(values, columns), in no order."""
        find = self._whole if self.right is None else self._screened
        kind = x.dtype if self.right is None else self.right.dtype
        space = torch.empty(min(self.rows, len(x)), len(self.table), dtype=kind)
        found = [find(some, space[: len(some)]) for some in x.split(self.rows)]
        values, columns = zip(*found)
        return torch.cat(values), torch.cat(columns)

    def _whole(self, x: Tensor, space: Tensor) -> tuple[Tensor, Tensor]:
        return top_k(torch.addmm(self.bias, x, self.table.T, out=space), self.k)

    def _screened(self, x: Tensor, space: Tensor) -> tuple[Tensor, Tensor]:
        bounds = torch.mm(_left_factor(x), self.right.T, out=space)
        return self._among(x, bounds, self.k + max(3 * self.k // 4, SPARE))

    def _among(self, x: Tensor, bounds: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The k largest of so many candidates; where that is not sure, of twice as many."""
        if 4 * count > len(self.table):
            return top_k(torch.addmm(self.bias, x, self.table.T), self.k)
        highest, candidates = top_k(bounds, count)
        z = Places.of_rows(candidates, len(self.table)).dots(x, self.table).view(-1, count)
        z += self.bias[candidates]
        values, columns = _top_k_of_few(z, candidates, self.k)
        highest_other = highest.amin(1).float()  # at least all those that are no candidates
        highest_other += highest_other.abs() * 2**-7  # was rounded to two digits, too
        unsure = (~(highest_other < values.amin(1))).nonzero().squeeze(1)
        if len(unsure):
            values[unsure], columns[unsure] = self._among(x[unsure], bounds[unsure], 2 * count)
        return values, columns


def can_screen() -> bool:
    """Whether this processor has instructions for products of bfloat16."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


# Two matrices of bfloat16 whose product is nowhere below x table^T + bias. With x' and w' for x and
# a row w of the table when rounded, by Cauchy and Schwarz
#
#     x w  <=  x' w' + |x - x'| |w'| + |x| |w - w'|
#
# The last two terms are two more columns of each matrix. The bias is rounded to two digits, and
# what that leaves to two more: two columns, with a 1 each on the side of x. All these columns are
# rounded up, and a ten-thousandth is added for the rounding within the products.

UP = 1 + 2**-7  # more than rounding to bfloat16 can take away
SLACK = 1e-4


def _left_factor(x: Tensor) -> Tensor:
    d_in, norm = x.shape[1], torch.linalg.vector_norm
    left = torch.empty(len(x), d_in + 4, dtype=torch.bfloat16)
    left[:, :d_in] = x
    length = norm(x, dim=1)
    left[:, d_in] = (norm(x - left[:, :d_in], dim=1) + SLACK * length) * UP
    left[:, d_in + 1] = length * UP
    left[:, d_in + 2 :] = 1
    return left


def _right_factor(table: Tensor, bias: Tensor) -> Tensor:
    d_in, norm = table.shape[1], torch.linalg.vector_norm
    factor = torch.empty(len(table), d_in + 4, dtype=torch.bfloat16)

    def fill(rows: slice) -> None:
        w, b, right = table[rows], bias[rows], factor[rows]
        right[:, :d_in] = w
        right[:, d_in] = norm(w, dim=1) * UP**2  # the rounded row may be longer
        right[:, d_in + 1] = norm(w - right[:, :d_in], dim=1) * UP
        right[:, d_in + 2] = b
        rest = b - right[:, d_in + 2]
        right[:, d_in + 3] = rest + rest.abs() * 2**-7 + b.abs() * SLACK

    in_parts(fill, len(table), longest=256)
    return factor
