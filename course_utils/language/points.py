"""Where one can listen to a model: the names of its hook points."""

from transformer_lens.model_bridge import TransformerBridge

# What it is called here: what transformer_lens calls it.
SITES = {
    "resid_pre": "blocks.{}.hook_resid_pre",
    "attn_out": "blocks.{}.hook_attn_out",
    "resid_mid": "blocks.{}.hook_resid_mid",
    "mlp_pre": "blocks.{}.mlp.hook_pre",
    "mlp_post": "blocks.{}.mlp.hook_post",
    "mlp_out": "blocks.{}.hook_mlp_out",
    "resid_post": "blocks.{}.hook_resid_post",
}


def hook_point(model: TransformerBridge, layer: int, site: str) -> str:
    """The name of a hook point, for `activations`, `splice` and transformer_lens itself.

    In the order of computing, where x is the residual stream and norm has weights of its own:

        resid_pre   x, as it comes into the layer
        attn_out    a = attention(norm(x)), all heads together
        resid_mid   x + a
        mlp_pre     what a neuron's nonlinearity is given: W_in norm(x + a) + b in our own model;
                    the gate, W_gate norm(x + a), in SmolLM2
        mlp_post    the neurons' activations: relu(mlp_pre) in our own model (0 or more);
                    silu(gate) * (W_in norm(x + a)) in SmolLM2 (of either sign)
        mlp_out     m = W_out mlp_post + b, what the neurons together add
        resid_post  x + a + m

    Neurons are a basis that the nonlinearity marks out; nothing marks one out in the residual
    stream. Every other name in `model.hook_dict` is allowed wherever a hook point is asked for.

    Args:
        layer: from 0; negative counts from the last.

    Raises:
        ValueError: there is no such layer or site.
    """
    n = model.cfg.n_layers
    if site not in SITES or not -n <= layer < n:
        raise ValueError(
            f'layer is {layer} and site "{site}"; use 0 to {n - 1} and one of {", ".join(SITES)}.'
        )
    return SITES[site].format(layer % n)


def check_points(model: TransformerBridge, points: list[str]) -> None:
    """Complain of a name that the model does not have."""
    unknown = [point for point in points if point not in model.hook_dict]
    if unknown or not points:
        raise ValueError(
            f"points is {points}; use names that `hook_point` gives, such as "
            f'"{hook_point(model, 0, "mlp_post")}".'
        )
