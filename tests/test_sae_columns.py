"""Latents taken out of a sparse code, some at a time; and the autoencoders of the course."""

import pytest
import torch

from course_utils import sae


@pytest.fixture
def coded():
    x = torch.randn(200, 16, generator=torch.Generator().manual_seed(0))
    config = sae.TopKConfig(16, 70, k=5)
    model = sae.TopKSAE.begin(config, x, x.mean(0), torch.Generator().manual_seed(1))
    return model.encode(x), model.encode_sparse(x)


def test_columns_are_those_of_the_dense_code(coded):
    dense, sparse = coded
    for wanted in ([3], [69, 0, 17], list(range(70)), []):
        torch.testing.assert_close(sae.columns(*sparse, wanted), dense[:, wanted])


def test_a_latent_that_is_never_active_is_zero(coded):
    _, (values, indices) = coded
    assert sae.columns(values, indices, [71]).count_nonzero() == 0


@pytest.mark.parametrize("size", [1, 16, 70, 1000])
def test_blocks_are_the_dense_code_in_pieces(coded, size):
    dense, sparse = coded
    blocks = list(sae.column_blocks(*sparse, 70, size))
    assert all(block.shape[1] <= size for block in blocks)
    torch.testing.assert_close(torch.cat(blocks, dim=1), dense)


@pytest.mark.parametrize("wanted", [[1, 1], [-1, 2]])
def test_each_latent_once_and_from_0_on(coded, wanted):
    with pytest.raises(ValueError, match="twice, or has a number below 0"):
        sae.columns(*coded[1], wanted)


def test_blocks_have_a_size(coded):
    with pytest.raises(ValueError, match="size is 0; use at least 1"):
        next(sae.column_blocks(*coded[1], 70, 0))


@pytest.mark.parametrize(
    ("name", "d_in", "d_sae"),
    [("one_layer_A", 512, 4096), ("one_layer_B", 512, 4096), ("smollm2_layer4", 576, 4608)],
)
def test_the_autoencoders_of_the_course_load(name, d_in, d_sae):
    one = sae.load_shipped(name)
    assert (one.config.d_in, one.config.d_sae, one.config.k) == (d_in, d_sae, 32)
    assert one.W_dec.dtype == torch.float32
    # 16 bits keep three digits.
    torch.testing.assert_close(one.W_dec.norm(dim=1), torch.ones(d_sae), atol=1e-3, rtol=0)


def test_there_are_no_others():
    with pytest.raises(ValueError, match='name is "gpt2"; use one of one_layer_A'):
        sae.load_shipped("gpt2")
