# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] minutes=90
# # 1. Features, circuits, universality
#
# What does a unit look for? How do units together compute something? Do two networks find the same things?
# You ask three networks: one that you build by hand, one that you train, and one that others published.

# %% [markdown]
# Three claims started this field [1]:
#
# - **Features.** A network's activations stand for things in the input, such as an edge at some angle.
# - **Circuits.** Weights connect features into computations, such as four edges into a square.
# - **Universality.** Networks that are trained apart end up with similar features and circuits.
#
# The evidence was strongest for single features. For universality the paper itself called it anecdotal. Here you look,
# and then you measure, each time beside a
# **control**: a case in which the claim should fail. You need Python and a little torch; you need no other
# notebook.
#
# Plan two sittings of 70 minutes. Each of the three sections starts fresh, and no exercise has to be solved to
# go on. **Only 90 minutes?** Do 1.1, 1.2, 1.6, 1.7, 1.8, the three panels and 1.12. Run the other cells and read
# their figures.

# %% [markdown]
# **Words.** A **unit** is one filter of a layer, also called a channel. Its output for an image is a **map**: one
# number for each place. It **fires** where that number is above 0. To **tell squares** is to recognise them among
# other shapes. A **null** is what a number would be if there were nothing to find.

# %%
import itertools
import math
import random
import time

import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from course_utils import assets, plots, similarity, stimuli, vision
from course_utils.checks import ask, check, predict, reveal, start
from course_utils.widgets import circuit_panel, show, tuning_panel, universality_panel

torch.set_num_threads(1)  # networks this small would spend their time on sharing out the work
start("01_features_circuits_universality")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## 1. Features
#
# A convolution slides a small square of weights, a **filter**, over an image. At each place it multiplies
# and adds. Where the image looks like the filter, the sum is large.
#
# So a filter that looks for an edge looks like an edge. Here are edges at eight angles. The angle is the
# direction of the edge, counter-clockwise, in degrees, and white is on its **left**.

# %%
eight = torch.arange(0, 360, 45)
show(
    plots.pictures(
        {f"{a}°": image for a, image in zip(eight.tolist(), stimuli.edge(eight, size=17))},
        what="Edges with white on the left of their direction",
    )
)

# %% [markdown] exercise="1.1" title="An edge filter by hand" minutes=7 difficulty=2 misconceptions=[]
# Write a 5 × 5 filter for the edge at a given angle. It should
#
# - be positive where that edge is white and negative where it is black,
# - have weights that add up to 0, so that uniform grey gives 0,
# - have weights whose sizes add up to 1, so that all filters are equally strong.
#
# On the line itself a weight is 0. Any angle may come, such as 67.
#
# Row 0 is the top row. But y goes **up**: the pixel in row 0 has y = 2, the one in row 4 has y = −2.
#
# HINT: How far is the pixel (x, y) to the left of a line through the middle? That number is positive on one
# side, negative on the other, and 0 on the line. It can be the weight.
#
# HINT: A line in direction a has its left side in direction (−sin a, cos a). So the distance to the left is
# y · cos a − x · sin a. At the end, divide by the sum of the absolute values.


# %%
def edge_filter(angle: float) -> torch.Tensor:
    """5 x 5 weights for an edge with white on the left of `angle` (degrees). Returns (5, 5)."""
    ### BEGIN SOLUTION
    y, x = torch.meshgrid(torch.arange(2.0, -3, -1), torch.arange(-2.0, 3), indexing="ij")
    a = torch.tensor(angle).deg2rad()
    left = y * a.cos() - x * a.sin()
    return left / left.abs().sum()
    ### END SOLUTION


edge_filter = check("1.1", edge_filter)

# %% [markdown]
# Your filters, and what four of them see in a photograph. A ReLU cuts off what is negative, so each map
# shows one kind of edge: where white is above, on the left, below, or on the right.

# %%
show(plots.filters({f"{a}°": edge_filter(float(a)) for a in eight.tolist()}))

photographs = vision.photographs(size=320)
photograph = photographs["camera"].mean(0)[None, None]
maps = [
    F.conv2d(photograph, edge_filter(float(a))[None, None], padding=2).relu()
    for a in (0, 90, 180, 270)
]
sides = ("white above", "white left", "white below", "white right")
show(
    plots.pictures(
        {"photograph": photograph[0]} | {s: m[0] / m.max() for s, m in zip(sides, maps)},
        size=180,
        what="A photograph and where four edge filters respond to it",
    )
)

# %% [markdown]
# ### How sharply is it tuned?
#
# Show a unit stripes at many angles, and write down how strongly it responds to each. That is its **tuning
# curve**, the oldest tool for this question: it was made for nerve cells.
#
# One trap: stripes can lie the wrong way under the filter, dark where it wants light. A unit should not
# be called silent for that. So each angle is shown with stripes in several positions, called **phases**, and
# the largest response counts.

# %% [markdown] exercise="1.2" title="A tuning curve" minutes=6 difficulty=1 misconceptions=[]
# For each angle, show the gratings `stimuli.grating(angle, 1 / 8, phases)`: stripes that repeat every 8
# pixels, one image for each phase: (n_phases, 1, 32, 32). `respond` gives one number for each of them. Return
# the unit's **largest** response at each angle.
#
# HINT: Go through the angles in a loop. `respond` takes all images of one angle at once and returns one
# number for each.
#
# HINT: `respond(stimuli.grating(float(angle), 1 / 8, phases)).max()`, and `torch.stack` of these.


# %%
def tuning_curve(respond, angles: torch.Tensor, phases: torch.Tensor) -> torch.Tensor:
    """The largest response to gratings at each angle, over the phases.

    respond: takes images (batch, 1, 32, 32), returns (batch,). angles: (n_angles,) and
    phases: (n_phases,), in degrees. Returns (n_angles,).
    """
    ### BEGIN SOLUTION
    curve = []
    for angle in angles:
        images = stimuli.grating(float(angle), 1 / 8, phases)
        curve.append(respond(images).max())
    return torch.stack(curve)
    ### END SOLUTION


tuning_curve = check("1.2", tuning_curve)


# %%
def unit_of(weights):
    """What a filter and a ReLU give in the middle of the image."""

    def respond(images):
        return F.conv2d(images - 0.5, weights[None, None]).relu()[:, 0, 14, 14]

    return respond


angles = torch.arange(0, 180, 7.5)
phases = torch.arange(0, 360, 30)
noise = torch.randn(5, 5, generator=seeded(0))
noise = (noise - noise.mean()) / (noise - noise.mean()).abs().sum()
curves = {
    "your filter for 0°": tuning_curve(unit_of(edge_filter(0.0)), angles, phases),
    "your filter for 60°": tuning_curve(unit_of(edge_filter(60.0)), angles, phases),
    "random weights": tuning_curve(unit_of(noise), angles, phases),
}
show(
    plots.line_chart(
        angles, curves, x_title="angle of the stripes, in degrees", y_title="largest response"
    )
)

# %% [markdown]
# Look at the curve of the random weights. It goes up and down as well. **Almost any** filter answers some angle
# more than others. So "this unit prefers an angle" says little. How much does it prefer it?

# %% [markdown]
# Angles of stripes repeat after 180 degrees: 0 and 180 are the same stripes. So take arrows at **twice** the
# angle, which repeat after 360. Give each arrow the length of the response, and add them up.
#
# An arrow has two parts: x = response · cos(2 · angle) and y = response · sin(2 · angle). Add up all x, and all y.
#
# - Where the sum points, divided by two again, is the **preferred angle**.
# - Its length, divided by the sum of all lengths, is the **selectivity**: 1 if only one angle counts, 0 if
#   all count alike.

# %% [markdown] exercise="1.3" title="Preferred angle and selectivity" minutes=7 difficulty=2 misconceptions=[]
# Return both numbers for a tuning curve: the preferred angle in degrees, from 0 to 180, and the selectivity,
# from 0 to 1. A unit that never responds has selectivity 0, and any angle.
#
# HINT: Angles must be in radians for `cos` and `sin`: `(2 * angles).deg2rad()`. The length of the arrow (x, y) is
# `torch.hypot(x, y)`.
#
# HINT: `torch.atan2(y, x)` is the direction of the sum, in radians from −π to π. Make it degrees, halve it,
# and `% 180` brings it into the range. Keep a sum of 0 out of the division, with `clamp_min(1e-12)`.


# %%
def preference(curve: torch.Tensor, angles: torch.Tensor) -> tuple[float, float]:
    """(preferred angle in degrees from 0 to 180, selectivity from 0 to 1) of a tuning curve.

    curve: (n_angles,), 0 or more. angles: in degrees, evenly spread over 180.
    """
    ### BEGIN SOLUTION
    doubled = (2 * angles).deg2rad()
    x, y = (curve * doubled.cos()).sum(), (curve * doubled.sin()).sum()
    preferred = torch.atan2(y, x).rad2deg() / 2 % 180
    selectivity = torch.hypot(x, y) / curve.sum().clamp_min(1e-12)
    return float(preferred), float(selectivity)
    ### END SOLUTION


preference = check("1.3", preference)

# %%
for name, curve in curves.items():
    angle, selectivity = preference(curve, angles)
    print(f"{name:20} prefers {angle:5.1f}°, selectivity {selectivity:.2f}")
angle, _ = preference(curves["your filter for 60°"], angles)
assert abs(angle - 60) < 4  # a grid of 5 x 5 is not quite round

# %% [markdown]
# ### A published network
#
# EfficientNet-Lite0 [2] was trained on a million photographs to name a thousand kinds of things. Its first
# layer, the **stem**, has 32 units with 3 × 3 filters that see colour. Nobody told them to look for edges. Behind
# the stem come 16 **blocks**, each a few convolutions. Units of later blocks see more of the image.

# %%
predict(
    "1.a",
    "How selective for an angle is a typical stem unit, compared with one with random weights?",
    ["much more", "about as much", "much less"],
)

# %% [markdown]
# The weights were fetched when the course was set up. If they are not there, the next cell says what to do,
# and the cells about this network are left out. All the rest runs without them.

# %%
try:
    published = vision.load_efficientnet()
except assets.Missing as missing:
    published = None
    print(missing)
untrained = [vision.load_efficientnet(trained=False, seed=seed) for seed in range(3)]


def stem_curves(network, polarity):
    """Tuning curves of the 32 stem units, (n_angles, 32): the best of 12 phases and 3 widths."""
    return vision.orientation_responses(
        network, "stem", angles, size=33, prepare=vision.prepare, polarity=(polarity,),
        frequency=(1 / 8, 1 / 6, 1 / 4), phase=phases.tolist(),
    )  # fmt: skip


def uniform_answers(network, polarity):
    """How much more each stem unit does for a uniform image, lighter, darker or coloured."""
    colours = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    steps = 0.5 + polarity / 2 * torch.cat([torch.zeros(1, 3), colours, -colours])
    images = vision.prepare(steps[:, :, None, None].expand(-1, -1, 33, 33))
    answers = vision.activations(network, images, ["stem"], at="centre")["stem"]
    return (answers[1:] - answers[0]).relu().amax(0)


# %% [markdown]
# Why two contrasts in the next cell? A stem unit's output stays between 0 and 6. Strong stripes drive many
# trained units to these limits, and their curves get flat tops. So the trained network gets faint stripes. Random
# weights stay far below 6 and get full contrast.
#
# Is that fair? Both numbers below are ratios, so the strength of the stripes roughly cancels. Trained units that do not
# answer to faint stripes at all are left out.

# %%
if published:
    trained_curves = stem_curves(published, 0.03)
    alive = trained_curves.amax(0) > 1e-3
    control_curves = torch.cat([stem_curves(network, 1.0) for network in untrained], 1)
    sharpness = {
        "trained": vision.selectivity(trained_curves, angles)[alive],
        "untrained, 3 networks": vision.selectivity(control_curves, angles),
    }
    show(plots.dot_columns(sharpness, x_title="stem units", y_title="selectivity"))
    medians = [float(values.quantile(0.5)) for values in sharpness.values()]
    reveal(
        "1.a",
        "about as much",
        f"Medians {medians[0]:.2f} and {medians[1]:.2f}. Random filters are tuned, too.",
    )
    assert abs(medians[0] - medians[1]) < 0.06

# %% [markdown]
# The typical sharpness does not tell them apart. Had you only looked at the trained network, you might have said:
# "many units are tuned to an angle, so it has learned edge detectors".
#
# What else does an edge detector do? It **ignores uniform light**. Compare its response to an image of one grey or
# one colour with its response to the best stripes. Your own filters give 0, because their weights add up to 0.

# %%
if published:
    flat = (uniform_answers(published, 0.03) / trained_curves.amax(0))[alive]
    control_flat = torch.cat([uniform_answers(network, 1.0) for network in untrained])
    control_flat = control_flat / control_curves.amax(0)
    show(
        plots.dot_columns(
            {"trained": flat.clamp(max=2), "untrained, 3 networks": control_flat.clamp(max=2)},
            x_title="stem units",
            y_title="uniform / best stripes (2: or more)",
        )
    )
    units = torch.arange(32)[alive]
    edges = units[flat < 0.05]
    print(f"below 0.05: {len(edges)} of {len(units)} trained units: {edges.tolist()}")
    print(f"below 0.05: {int((control_flat < 0.05).sum())} of {len(control_flat)} untrained units")
    for unit in edges.tolist():
        angle = vision.preferred_angle(trained_curves[:, unit], angles)
        sharp = vision.selectivity(trained_curves[:, unit], angles)
        print(f"  unit {unit:2}: selectivity {sharp:.2f}, prefers {angle:.0f}°")
    assert len(edges) >= 4 and (control_flat < 0.05).sum() == 0

# %% [markdown]
# That separates them. Several trained units ignore uniform light almost completely, and no untrained unit does.
#
# Read the angles too: most of the sharper ones look for horizontal or vertical edges. It is tempting to explain that by
# photographs of buildings. Is it so among the sharp units of *untrained* networks?

# %%
if published:

    def near_the_axes(curves):
        """Of the units with selectivity above 0.25: how many are within 11 degrees of an axis."""
        sharp = vision.selectivity(curves, angles) > 0.25
        away = vision.preferred_angle(curves, angles)[sharp] % 90
        return f"{int((torch.minimum(away, 90 - away) < 11).sum())} of {int(sharp.sum())}"

    print(f"trained   {near_the_axes(trained_curves[:, alive])} sharp units are near the axes")
    print(f"untrained {near_the_axes(control_curves)}")

# %% [markdown]
# It is as common there. A grid of 3 × 3 is sharpest along its sides. The explanation by photographs was a good story, and
# the control took it away.

# %% [markdown]
# ### Deeper, and unit by unit
#
# The stem sees 3 × 3 pixels. What becomes of tuning in the layers behind it? Here are your own eight filters, the
# stem, and two layers further in. Each is drawn beside a control: random weights. Every curve is a share
# of its own largest response, because the two networks work at different strengths.
#
# 1. Leave *Layer* at your filters. Move *Unit*. How far from the peak is the curve down to half?
# 2. Set *Layer* to stem. Compare unit 27 with unit 21. Which one cares about the angle?
# 3. Set *Layer* to block4. Choose a unit, then move *Angle* until the solid curve is at 0. Does the dashed one,
#    random weights, get there too?

# %%
eight_filters = torch.stack([edge_filter(22.5 * i) for i in range(8)])
random_filters = torch.randn(8, 5, 5, generator=seeded(1))
random_filters -= random_filters.mean((1, 2), keepdim=True)


def curves_of(filters):
    """Tuning curves of hand-made units, (n_angles, n_units)."""
    return torch.stack([tuning_curve(unit_of(w), angles, phases) for w in filters], 1)


def layer_tuning(responses, control, filters=None):
    """The two beside each other, with what sums them up."""
    summed_up = [
        (vision.selectivity(curves, angles), vision.preferred_angle(curves, angles))
        for curves in (responses, control)
    ]
    return plots.LayerTuning(responses.T, *summed_up[0], control.T, *summed_up[1], filters=filters)


def deep_curves(network, layer, polarity):
    return vision.orientation_responses(
        network, layer, angles, size=65, prepare=vision.prepare, polarity=(polarity,),
        frequency=(1 / 12, 1 / 8, 1 / 6), phase=(0, 90, 180, 270),
    )  # fmt: skip


tuned = {
    "your filters": layer_tuning(curves_of(eight_filters), curves_of(random_filters), eight_filters)
}
if published:
    stem_filters = published.conv_stem.weight
    tuned["stem"] = layer_tuning(trained_curves, control_curves[:, :32], stem_filters)
    for layer in ("block1", "block4"):
        # Faint stripes again, since the trained stem saturates.
        tuned[layer] = layer_tuning(
            deep_curves(published, layer, 0.03), deep_curves(untrained[0], layer, 1.0)
        )
tuning_panel(
    plots.TuningCurves(tuned, angles, relative=True, name="this unit", control_name="random"),
    lambda angle: stimuli.grating(angle, 1 / 8, 0, size=33)[0, 0],
)

# %%
peaks = torch.tensor(tuned["your filters"].responses)
wide = (peaks > peaks.amax(1, keepdim=True) / 2).sum(1) * 7.5 / 2  # to one side of the peak
print(f"your filters: down to half after {wide.min():.0f} to {wide.max():.0f} degrees\n")
print("selectivity, median over units that respond   trained   random weights")
sharper = {}
for layer, tuning in tuned.items():
    medians = [
        float(torch.tensor(sharp)[torch.tensor(responses).amax(1) > 1e-5].quantile(0.5))
        for sharp, responses in (
            (tuning.selectivity, tuning.responses),
            (tuning.control_selectivity, tuning.control),
        )
    ]
    sharper[layer] = medians[0] - medians[1]
    print(f"  {layer:42} {medians[0]:8.2f} {medians[1]:10.2f}")
if published:
    assert abs(sharper["stem"]) < 0.06 and sharper["block1"] > 0.03 and sharper["block4"] > 0.1

# %% [markdown]
# Your filters need some sixty degrees to fall to half. They are flat ramps, so a selectivity of a third is all
# they give.
#
# In the stem the typical sharpness is that of random weights. In block 1 the difference is small, in block 4 it is clear.
# So the same number says nothing in one layer and something in another. You only know because the control is
# beside it.

# %% [markdown]
# ### Later units: curves
#
# Deeper units see more of the image. Some are said to look for **curves** of one radius and direction [3]. How
# would you test that? Show arcs of a circle in every direction, and straight bars of the same length, width and
# brightness. Direction 0° is a smile; it turns counter-clockwise. A straight bar looks the same after 180°, so
# each of eight bars is there twice.

# %%
directions = torch.arange(0, 360, 22.5)
radii = (10.0, 14.0, 20.0, 30.0, math.inf)
samples = ((10, 0), (14, 0), (20, 0), (math.inf, 0), (14, 45), (14, 90), (14, 180), (14, 270))
show(
    plots.pictures(
        {
            ("straight" if r == math.inf else f"radius {r}") + f"<br>{d}°": stimuli.curve(
                d, float(r), size=65, length=28, width=3
            )[0]
            for r, d in samples
        },
        what="Arcs of several radii and directions, and a straight bar",
    )
)

# %%
predict(
    "1.b",
    "For how many units in a middle layer is the best of these pictures a curve, not a bar? "
    "Compare a trained network with an untrained one.",
    ["Many more when trained", "About as many", "Fewer when trained"],
)

# %% [markdown]
# One picture is not enough: a unit may like the place or the brightness of one arc. So show each stimulus white
# and black, and in five places. A unit *stably* prefers curves if one curve beats every straight bar in
# **each** of these ten disguises.
#
# And three controls. The untrained network is one. The second: would a unit with any stable taste pass? Call the
# arcs of **one radius** "bars", and the real bars "curves". Count again, for each of the four radii. The third: is it the
# *units*? Take 400 random **directions** of the layer, each a mixture of all units, as if they were units.

# %%
# Its middle units look a little to the upper left of the middle.
places = [(-5 + x, 4.5 + y) for x, y in ((0, 0), (4, 0), (-4, 0), (0, 4), (0, -4))]


def curve_responses(network):
    """What "block6" does above grey, (10 disguises, 5 radii, 16 directions, 80 units), signed."""
    return vision.radius_responses(
        network, "block6", directions, radii, size=65, prepare=vision.prepare, over="each",
        rectify=False, length=(28,), width=(3,), polarity=(-1, 1), centre=places, batch_size=16,
    )  # fmt: skip


def how_many(stimuli_seen, order):
    """Units that stably prefer a curve, the last 16 stimuli in this order being the bars."""
    curved, straight = stimuli_seen[:, order[:-16]], stimuli_seen[:, order[-16:]]
    return int((vision.curve_preference(curved, straight) > 0).sum())


if published:
    rows = torch.arange(80).reshape(5, 16)  # one for each radius, the bars last
    mixtures = torch.randn(80, 400, generator=seeded(0))
    curves_seen = {}
    for name, net in {"trained": published, "untrained": untrained[0]}.items():
        signed = curve_responses(net)
        seen = curves_seen[name] = signed.relu()
        flat_seen = seen.flatten(1, 2)  # 80 stimuli
        one = how_many(flat_seen[:1], rows.flatten())
        stable = how_many(flat_seen, rows.flatten())
        others = [
            how_many(flat_seen, torch.cat([rows[:r], rows[r + 1 :], rows[r : r + 1]]).flatten())
            for r in range(4)
        ]
        mixed_units = how_many((signed.flatten(1, 2) @ mixtures).relu(), rows.flatten()) / 400
        print(
            f"{name}: a curve is best in one picture for {one} of 80 units, in all ten for {stable}"
        )
        print(f"   with another radius as bars: {others}")
        print(f"   in all ten: {stable / 80:.0%} of units, {mixed_units:.0%} of random directions")
        if net is published:
            trained_result = (one, stable, max(others))
    reveal(
        "1.b",
        "About as many",
        "64 of the 80 pictures are curves. So chance alone gives 64 units.",
    )
    assert stable == 0 and one >= trained_result[0]
    assert trained_result[1] > trained_result[2]

# %% [markdown]
# With one picture a unit you would have found "curve detectors" everywhere, in random weights too. In all disguises,
# nothing is stable in the untrained network, curves or not. In the trained one, many more units stably beat all straight
# bars than beat all curves of any one radius.
#
# But random directions of the layer pass nearly as often as its units. So the *layer* has a stable answer to curves. That its
# *units* are the curve detectors, this does not show.
#
# Three of these units, over direction and over radius. They were chosen because they looked best, so they show
# what exists, not what is typical.

# %%
if published:
    best = curves_seen["trained"].mean(0)  # over the disguises: (radii, directions, units)
    chosen = (57, 67, 51)
    at = {unit: int(best[:-1, :, unit].amax(1).argmax()) for unit in chosen}
    show(
        plots.line_chart(
            directions,
            {f"unit {u}, radius {radii[at[u]]:.0f}": best[at[u], :, u] for u in chosen},
            x_title="direction of the curve, in degrees",
            y_title="response above grey",
        )
    )
    for u in chosen:
        curve, bars = best[at[u], :, u], best[-1, :, u]
        preferred = vision.preferred_angle(curve, directions, period=360)
        opposite = curve.roll(8)[curve.argmax()]  # bent to the other side
        print(
            f"unit {u}: {preferred:3.0f}°, radius {radii[at[u]]:.0f}, selectivity "
            f"{vision.selectivity(curve, directions, period=360):.2f}. Shares of its best: "
            f"best bar {bars.max() / curve.max():.2f}, opposite curve {opposite / curve.max():.2f}"
        )
        assert bars.max() < 0.5 * curve.max() and opposite < 0.1 * curve.max()

# %% [markdown]
# They answer one direction, a straight bar at most a third as much, and the same arc bent to the other side no more than
# grey. Units that pass these tests exist, in this network too.
#
# And **how much** of a curve? The same units over curvature, each in its best direction. The controls are the
# average unit of the trained layer, and of an untrained one.

# %%
if published:

    def radius_curve(seen):
        """Share of a unit's best response at each radius, in the best direction: (radii, units)."""
        by_radius = seen.mean(0).amax(1)
        return by_radius / by_radius.amax(0).clamp_min(1e-12)

    shares = {name: radius_curve(seen) for name, seen in curves_seen.items()}
    show(
        plots.line_chart(
            torch.tensor([100 / r for r in radii]),
            {f"unit {u}": shares["trained"][:, u] for u in chosen}
            | {f"{name}, mean of 80": share.mean(1) for name, share in shares.items()},
            x_title="curvature: 100 / radius in pixels, 0 is straight",
            y_title="share of the unit's best",
        )
    )
    lowest = {name: float(share.amin(0).quantile(0.5)) for name, share in shares.items()}
    for name, low in lowest.items():
        print(f"typical {name} unit: at its worst radius still {low:.2f} of its best")
    assert lowest["trained"] < lowest["untrained"] - 0.1
    assert (shares["trained"][-1, list(chosen)] < lowest["trained"]).all()

# %% [markdown]
# The two averages look flat, but an average of peaks at different places always does. Look at single units: the typical
# trained one falls to about half of its best at some radius, the typical untrained one to three quarters. These
# three fall to a third or less, towards straight.
#
# Why would random directions do nearly as well as units? The outputs of this layer have no ReLU, so nothing gives its
# units a special place among all directions. Notebook 04 comes back to that.

# %% [markdown]
# ### What would it like to see best?
#
# You chose the stimuli so far. You can also let the unit choose: start from a nearly grey image, ask in which
# direction each pixel should change so that the unit responds more, and take a small step. That is gradient
# ascent, on the image. The weights stay as they are.

# %% [markdown] exercise="1.4" title="One step uphill" minutes=6 difficulty=2 misconceptions=[]
# `objective(image)` gives a number, such as a unit's response. Return the image after one step:
#
# $$\text{image} + \text{rate} \cdot \frac{g}{\lVert g \rVert}$$
#
# where g is the gradient of the objective. Divided by its length, every step is equally long. Where the
# gradient is 0, return the image as it was.
#
# HINT: `image.detach().requires_grad_()` is a fresh start, and `torch.autograd.grad(objective(image), image)`
# returns a tuple with one gradient.
#
# HINT: `g.norm().clamp_min(1e-12)` avoids dividing by 0. `.detach()` at the end, so that steps do not hang
# together.


# %%
def ascent_step(objective, image: torch.Tensor, rate: float) -> torch.Tensor:
    """The image after one step uphill of length `rate`, detached: it does not track gradients.

    objective: takes an image (1, channels, h, w), returns a number. The image given stays as it is.
    """
    ### BEGIN SOLUTION
    image = image.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(image), image)
    return (image + rate * gradient / gradient.norm().clamp_min(1e-12)).detach()
    ### END SOLUTION


ascent_step = check("1.4", ascent_step)

# %% [markdown]
# Your steps on the two curve units, 100 each, beside the same climb with two constraints: the image is made of
# **waves** with the strengths and colours that photographs have, and it is **shifted** a little at random before each
# step, so that no single pixel decides. The control is the best of 100 random images.

# %%
if published:
    drives, found_images = {}, {}
    config = vision.Ascent(size=65, n_steps=100)
    for unit in chosen[:2]:
        objective = vision.unit_objective(published, "block6", unit, prepare=vision.prepare)
        image = 0.5 + 0.01 * torch.randn(1, 3, 65, 65, generator=seeded(unit))
        for _ in range(100):
            image = ascent_step(objective, image, rate=0.5).clamp(0, 1)
        constrained = vision.visualise(
            published, "block6", unit, config, prepare=vision.prepare, seed=0
        )
        lucky = vision.best_of_random(published, "block6", unit, config, prepare=vision.prepare)
        drives[f"unit {unit}"] = {
            "your steps, pixels": float(objective(image)),
            "waves, shifted": constrained.value,
            "best of 100 random": lucky.value,
        }
        found_images[f"unit {unit}<br>your steps"] = image[0]
        found_images[f"unit {unit}<br>waves, shifted"] = constrained.image
        found_images[f"unit {unit}<br>best random"] = lucky.image
    show(
        plots.pictures(found_images, columns=6, size=150, what="Images that drive two curve units")
    )
    for name, values in drives.items():
        print(name + ": " + ", ".join(f"{how} {value:.0f}" for how, value in values.items()))
        assert values["waves, shifted"] > 5 * values["best of 100 random"]
        assert values["your steps, pixels"] > values["waves, shifted"]

# %% [markdown]
# The freest climb gets highest, and is the hardest to read: fine noise that the unit happens to love. Look at the
# constrained images. Can you find a bend at about 4° for unit 57, like a smile, and one at about 213° for unit
# 67? Would you have found it without knowing? The readable picture is partly *our* choice of what pictures should
# look like. It suggests a hypothesis, it proves none.
#
# A hypothesis has to meet real images. Which patches of real photographs drive these units most?

# %%
if published:
    patches = vision.top_patches(
        published, "block6", list(chosen[:2]), photographs, k=6, prepare=vision.prepare
    )
    show(
        plots.pictures(
            {
                f"unit {unit}, {i + 1}<br>{name}": image
                for unit in chosen[:2]
                for i, (name, image) in enumerate(zip(patches[unit].names, patches[unit].images))
            },
            columns=6,
            size=130,
            what="Patches of photographs that drive two curve units most",
        )
    )
    for unit in chosen[:2]:
        values, made = patches[unit].values, drives[f"unit {unit}"]["waves, shifted"]
        print(
            f"unit {unit}: {values[-1]:.0f} to {values[0]:.0f} here, {made:.0f} for the made image"
        )

# %% [markdown]
# ### One unit, one thing?
#
# So far you saw units that make sense. Now take *all* 112 units of block 8.
#
# What would a fair control be? A unit is one axis of the layer. A **direction** mixes all of them: one weight for each
# unit. Take 300 random directions, and treat each as if it were a unit.
#
# For each, take the five photographs that drive it most. Describe each place by what block 7 says there: a list of
# numbers. How alike are the five lists? Their mean **cosine** is 1 if they point the same way, and 0 if they have
# nothing in common.

# %%
predict(
    "1.f",
    "Are the units of the layer more single-minded than random directions in it?",
    ["Clearly more", "About as much", "Clearly less"],
)


# %% tags=["refutes:features-are-a-basis"]
def alikeness(before, maps):
    """Mean cosine between the five photographs that drive a unit most, one number a unit."""
    values, places = maps.flatten(2).max(2)  # (photographs, units)
    before = (before - before.mean((0, 2, 3), keepdim=True)).flatten(2)
    vectors = before.gather(2, places[:, None].expand(-1, before.shape[1], -1))
    vectors = vectors / vectors.norm(dim=1, keepdim=True)  # (photographs, channels, units)
    five = values.topk(5, dim=0).indices.T[:, :, None].expand(-1, -1, before.shape[1])
    chosen = vectors.permute(2, 0, 1).gather(1, five)  # (units, 5, channels)
    return ((chosen @ chosen.mT).sum((1, 2)) - 5) / 20


if published:
    stack = vision.prepare(torch.stack(list(photographs.values())))
    inside, outside = "block8.expand", "block8"  # the layer with a ReLU in the block; its output
    both = vision.activations(published, stack, ["block7", inside, outside], batch_size=4)
    alike = {}
    for layer in (inside, outside):
        maps = both[layer] - both[layer].mean((0, 2, 3), keepdim=True)
        mixtures = F.normalize(torch.randn(300, maps.shape[1], generator=seeded(0)), dim=1)
        alike[f"{layer[5:]}, units"] = alikeness(both["block7"], maps)
        alike[f"{layer[5:]}, random"] = alikeness(
            both["block7"], torch.einsum("kchw,dc->kdhw", maps, mixtures)
        )
    show(
        plots.dot_columns(
            alike,
            x_title="block 8: the layer with a ReLU inside it (expand), and its output",
            y_title="cosine of what drives it",
        )
    )
    of_units, of_directions = alike["8, units"], alike["8, random"]
    most_mixed, least_mixed = int(of_units.argmin()), int(of_units.argmax())
    examples = vision.top_patches(
        published, "block8", [most_mixed, least_mixed], photographs, k=5, per_image=1,
        prepare=vision.prepare, side=64,
    )  # fmt: skip
    shown = {}
    for unit in (most_mixed, least_mixed):
        for name, image in zip(examples[unit].names, examples[unit].images):
            shown[f"unit {unit}<br>{name}"] = image
        made = vision.Ascent(jitter=8, n_steps=96)
        image = vision.visualise(published, "block8", unit, made, prepare=vision.prepare).image
        shown[f"unit {unit}<br>made by ascent"] = image
    show(
        plots.pictures(
            shown,
            columns=6,
            size=140,
            what="What drives the most mixed unit and the least mixed one",
        )
    )
    reveal("1.f", "About as much", "The axes of this layer are nothing special.")
    # One unit is not one feature: as a list of features, random axes would do as well.
    assert abs(of_units.quantile(0.5) - of_directions.quantile(0.5)) < 0.06
    # The measure can see a difference, where there is one.
    middles = {name: values.quantile(0.5) for name, values in alike.items()}
    assert middles["8.expand, units"] - middles["8.expand, random"] > 0.02

# %% [markdown]
# Look at the lower row, the *least* mixed unit. Would you call that one thing? The upper unit answers to things with
# nothing in common. A unit like that is called **polysemantic**.
#
# What does this not show? You picked the extremes of 112, from fourteen photographs. And the figure says more. In block
# 8, whose outputs have no ReLU, units are no better than random directions. Inside the block, where a ReLU singles the units
# out, they are. So the measure can see it. Notebooks 02 and 04 go on from here.

# %% [markdown] exercise="1.5" kind="free" title="What is a feature?" minutes=5 difficulty=1 misconceptions=["features-are-a-basis"]
# In a study session somebody wrote: "features are like a basis set". In your own words: what is a feature of a
# network, how would you show that a unit stands for one, and what control would you want? Four to seven sentences.
#
# HINT: What did the tuning curve of random weights look like? What did the untrained network do in each
# experiment?
#
# HINT: You have four kinds of evidence: tuning curves, disguises, made images, patches of photographs. What can
# each one not show?
#
# RUBRIC:
# - It says that a feature is a property of the input that the network represents, as a unit or a direction.
# - It names evidence of at least two kinds.
# - It asks for a control: untrained network, random weights, random images, random names of stimuli.
# - It says that responding most to something is not the same as responding only to it.
# - It says that one unit need not be one feature, or that the units may not be special directions.
#
# MODEL ANSWER:
# A feature is a property of the input that the network represents by an activation, along a direction of a layer, sometimes
# a single unit. To show that a unit stands for curves of one direction I measure its response over direction and
# radius, against straight bars of the same length and brightness, in many disguises. I look at what drives it in
# photographs and in images made by gradient ascent. All of this I also do with an untrained network, because
# random weights have preferences too. And I look at what else drives it: some units respond to several unrelated
# things. "Like a basis" is a picture that breaks when there are more features than dimensions; notebook 02 shows how.
#
# MISCONCEPTIONS:
# - features-are-a-basis: One unit answered to things that have nothing in common, and in a layer without a ReLU random directions did as well as its units. Units need not be a list of features; notebook 02 counts more features than dimensions.

# %%
ask("1.5")

# %% [markdown]
# ## 2. Circuits
#
# A unit of a second layer adds up units of the first, each with a weight, at each place of its field. If the
# first layer finds edges, what can the second one find? Build it, before you look for it.
#
# Below are the four kinds of edges in outlines: where white is above the edge, to its left, below it, to its
# right. One line of a square has two edges: its outer and its inner rim.

# %%
kinds = {name: i for i, name in enumerate(vision.TASK_KINDS)}
images, which = vision.square_task(7 * 60, generator=seeded(0))
square_image = stimuli.shape("square", radius=6.0, polarity=0.8, size=33)
show(
    plots.pictures(
        {"a square": square_image[0]}
        | {s: m / 0.35 for s, m in zip(sides, vision.edge_maps(square_image)[0])},
        size=150,
        what="An outlined square and its four kinds of edges",
    )
)
show(
    plots.pictures(
        {name: images[(which == i).nonzero()[0, 0]] for name, i in kinds.items()},
        columns=7,
        what="One of each kind of outline, at a random place and with noise",
    )
)

# %% [markdown] exercise="1.6" title="A square detector by hand" minutes=12 difficulty=3 misconceptions=[]
# Make a unit that fires for squares, anywhere in the image, and for nothing else: not for triangles, circles,
# crosses, Ls, a **broken square** (four edges in the wrong places), or a **hash** (more edges than a square
# has, in the wrong places). Squares have sides of 12 pixels from middle to middle of the lines, which are 2
# pixels wide.
#
# Return weights of shape (4, 19, 19), and a bias. `vision.edge_maps` gives four maps: 0 white above, 1 white left,
# 2 white below, 3 white right, with values from 0 to about 0.35.
#
# Index 9, 9 is the unit's middle. Rows go down. So `weights[2, 2, 9]` asks: is white *below* an edge that lies 7
# pixels *above* the middle? At row r and column c the unit computes
#
# $$\mathrm{ReLU}\Big(\sum_{m,i,j} \text{weights}[m, i, j] \cdot \text{map}_m[r + i - 9,\ c + j - 9] + \text{bias}\Big)$$
#
# It fires for an image if this is above 0 anywhere. You pass when nine in ten of each kind are told right.
#
# HINT: The outer rim of the top line is 7 pixels above the middle, from column −6 to column 6. White is
# *below* that rim: map 2. Put weights of 1 there, and in the same way for the other three rims. Rims are
# about three pixels wide.
#
# HINT: Add a cell: `evidence = vision.strongest(vision.edge_maps(images), weights)`. Print the smallest value for
# squares, `evidence[which == 0].min()`, and the largest for each other kind. Your bias is minus a number between
# them. If circles are too close: where does a circle differ from a square?


# %%
def square_detector() -> tuple[torch.Tensor, float]:
    """(weights, bias) of a unit that fires for squares only. weights: (4, 19, 19)."""
    ### BEGIN SOLUTION
    weights = torch.zeros(4, 19, 19)
    side = slice(3, 16)  # from 6 left to 6 right of the middle
    for far in (15, 16, 17):  # 7 below the middle, three pixels wide
        weights[0, far, side] = 1  # white above: the bottom line's outer rim
        weights[2, 18 - far, side] = 1  # white below: the top line's
        weights[1, side, far] = 1  # white on the left: the right line's
        weights[3, side, 18 - far] = 1
    return weights, -15.9
    ### END SOLUTION


square_detector = check("1.6", square_detector)

# %%
weights, bias = square_detector()
answers = vision.strongest(vision.edge_maps(images), weights)
show(
    plots.dot_columns(
        {name: answers[which == i] for name, i in kinds.items()},
        x_title="what is in the image",
        y_title="sum of the evidence, without bias",
    )
)
fires = answers + bias > 0
for name, i in kinds.items():
    print(f"{name:14} fires for {fires[which == i].float().mean():4.0%}   (bias {bias:.1f})")
assert fires[which == 0].float().mean() > 0.85 > 0.15 > fires[which != 0].float().mean()

# %% [markdown]
# You have just written a **circuit**: units, and the weights between them, that compute something you can
# name. You know what each part is for. Circles come closest, because they have all four edges in the right
# places; only the corners are missing.
#
# Your unit *adds up* evidence. It has no "and". So what does contrast do to it?

# %%
for kind, contrast in (("circle", 1.0), ("square", 0.8), ("square", 0.7)):
    image = stimuli.shape(kind, radius=6.0, polarity=contrast, size=33)
    evidence = float(vision.strongest(vision.edge_maps(image), weights))
    print(f"{kind}, contrast {contrast}: {evidence:.1f}, it fires above {-bias:.1f}")

# %% [markdown]
# With the solution's weights a circle in full white fires, and a fainter square does not. It is a square detector for this
# size, this contrast and this angle.

# %% [markdown]
# ### A circuit that nobody wrote
#
# Now train a network on six kinds of outlines, of any size, contrast and quarter turn, with more noise. Two
# layers only: 8 units with 5 × 5 filters, then 16 units with 7 × 7 filters. A class score is a weighted sum of how
# strongly each of the 16 fires anywhere. Some seconds of training.

# %%
shapes, shape_labels = stimuli.sample_shapes(6000, generator=seeded(0))
search_images, search_labels = stimuli.sample_shapes(600, generator=seeded(1))
test_images, test_labels = stimuli.sample_shapes(600, generator=seeded(2))

began = time.perf_counter()
network = vision.train_cnn(shapes, shape_labels, seed=0)
print(f"trained in {time.perf_counter() - began:.0f} s")
accuracy = vision.accuracy_by_class(network(test_images), test_labels)
for kind, share in zip(stimuli.KINDS, accuracy.tolist()):
    print(f"{kind:14} {share:.1%}")
print(f"{'all':14} {accuracy.mean():.1%} of images that it has not seen")
assert accuracy.mean() > 0.97
show(
    plots.filters(
        {f"unit {i}": w[0] for i, w in enumerate(network.conv1.weight)},
        what="The eight filters of the first layer, white positive and black negative",
    )
)

# %% [markdown]
# Some filters look like edges. It is tempting to say: "four of them are wired to a square unit, as I did it".
# Is there such a unit?

# %%
predict(
    "1.c",
    "Of the 16 units in the second layer, how many are needed to tell squares nearly as well as "
    "all 16 do?",
    (0.0, 16.0),
)

# %% [markdown]
# To find out, switch units off. There are three ways, and they ask different questions.
#
# - **Zero**: the unit says nothing. But the next layer is used to what it usually says, so everything
#   is off balance.
# - **Mean**: the unit says what it says on average, at each place. It knows nothing about *this* image.
# - **Resample**: the unit says what it says about *another* image. Every value is one that occurs, and it may
#   mislead.

# %% [markdown] exercise="1.7" title="Three ways to switch a unit off" minutes=6 difficulty=2 misconceptions=[]
# `maps` are a layer's activations for a batch of images, (n_images, n_units, h, w). Return a copy in which
# one unit is switched off. For "mean" take the average over the images, place by place. For "resample", image
# i gets the unit's map from image `other[i]`.
#
# HINT: `maps[:, unit]` is the unit's map in all images, (n_images, h, w). Begin with `maps.clone()`.
#
# HINT: `maps[:, unit].mean(0)` is one map, and torch copies it to all images when you assign it.
# `maps[other, unit]` takes the maps in another order.


# %%
def ablate(maps: torch.Tensor, unit: int, kind: str, other: torch.Tensor) -> torch.Tensor:
    """The maps with one unit switched off; `maps` stays as it was.

    maps: (n_images, n_units, h, w). kind: "zero", "mean" or "resample". other: (n_images,), for
    each image the one whose map it gets by "resample".
    """
    ### BEGIN SOLUTION
    maps = maps.clone()
    if kind == "zero":
        maps[:, unit] = 0
    elif kind == "mean":
        maps[:, unit] = maps[:, unit].mean(0)
    else:
        maps[:, unit] = maps[other, unit]
    return maps
    ### END SOLUTION


ablate = check("1.7", ablate)


# %% [markdown]
# The classes use only the largest value of each map. So here a map is one number. Switch off each unit in turn.
#
# The score is **balanced accuracy**: the mean of "squares called squares" and "others not called squares". Guessing
# gives 0.5.


# %%
def squares(logits: torch.Tensor) -> float:
    """How well squares are told from the rest: balanced accuracy, 0.5 by chance."""
    return vision.detection(logits, test_labels, target=0)


heard = vision.activations(network, test_images, ["conv2"], at="max")["conv2"][:, :, None, None]
other = torch.randperm(len(test_images), generator=seeded(3))
by_kind = {
    kind: {
        str(u): squares(network.fc(ablate(heard, u, kind, other)[:, :, 0, 0])) for u in range(16)
    }
    for kind in vision.ABLATIONS
}
show(
    plots.dot_columns(
        {kind: list(by_unit.values()) for kind, by_unit in by_kind.items()},
        x_title="a dot for each of the 16 units that is switched off",
        y_title="squares told, 0.5 is chance",
    )
)
whole = squares(network(test_images))
worst = {kind: min(values.values()) for kind, values in by_kind.items()}
print(f"whole network {whole:.3f}; the worst single unit:")
print(", ".join(f"{kind} {value:.3f}" for kind, value in worst.items()))
assert worst["zero"] < 0.75 and worst["mean"] > 0.9 and worst["resample"] < worst["mean"]

# %% [markdown]
# The same units, the same network. With zeros you would say: "a few units are vital". With means and with
# resampling: "no single unit is". Zeros break the balance between the classes. Means leave a good guess in place.
# Resampling puts in what another image says, so what is off argues against what is on. That is the hardest test.
# From here on it is our measure.
#
# No single unit carries squares. So look for a **set** of units.

# %% [markdown]
# ### What would make it a circuit?
#
# A picture of a few units with arrows between them proves nothing. Two numbers come closer.
#
# - **Faithful**: with everything *outside* the circuit switched off, the network still tells squares.
# - **Complete**: with the *circuit* switched off, it no longer does. Nothing important was forgotten.
#
# Both need a scale. It goes from what is left with everything off, which is chance, to what the whole network can.

# %% [markdown] exercise="1.8" title="Faithful and complete" minutes=6 difficulty=2 misconceptions=[]
# You get a function and four sets of connections: `circuit`, `rest` (all that is not in it), `everything` and
# `nothing`. You need not look inside. Give a set to `score`, and you get a number: how well the network tells squares
# when only this set is on.
#
# The **share** of a set is 0 if it scores like `nothing`, and 1 if it scores like `everything`. It may go beyond
# either. Return
#
# - how faithful the circuit is: the share of `circuit`;
# - how complete it is: 1 minus the share of `rest`.
#
# HINT: The share of c is (score(c) − score(nothing)) / (score(everything) − score(nothing)).
#
# HINT: Write the share as an inner function, and use it twice. Do not cut it at 0 or 1: a circuit may do
# better than the whole network, and that is worth knowing.


# %%
def judge(score, circuit, rest, everything, nothing) -> tuple[float, float]:
    """(faithfulness, completeness) of a circuit, 1 being perfect in both."""

    ### BEGIN SOLUTION
    def share(connections):
        return (score(connections) - score(nothing)) / (score(everything) - score(nothing))

    return share(circuit), 1 - share(rest)
    ### END SOLUTION


judge = check("1.8", judge)

# %% [markdown]
# Now search. Start with all 16 units, switch off the one that is missed least, and go on until none is left.
# The last k to go are the circuit of k units. The search uses one set of images, the judgement another. The
# control: 100 random sets of as many units. Some units never fire; a control with those would be too easy to beat, so
# they are left out of it.

# %%
search = vision.Trace(network, search_images, search_labels, seed=4)
trace = vision.Trace(network, test_images, test_labels, seed=5)
everything = vision.Circuit.of_units(network)
order = vision.most_needed_units(search, target=0)


def score(circuit, kind="resample"):
    return squares(trace.logits(circuit, kind))


def judged(units, kind="resample"):
    circuit = vision.Circuit.of_units(network, conv2=units)
    both = judge(lambda c: score(c, kind), circuit, ~circuit, everything, ~everything)
    return [float(x) for x in both]


live = [u for u in range(16) if search.fired[:, u].std() > 1e-2]
print(f"{len(live)} of 16 units fire: {live}")
sizes = range(1, len(live) + 1)
found = torch.tensor([judged(order[:k]) for k in sizes])
dice = random.Random(0)
chance = torch.tensor(
    [[judged(dice.sample(live, k)) for _ in range(100)] for k in sizes]
)  # (sizes, 100, 2)
for column, name in enumerate(("faithful", "complete")):
    show(
        plots.line_chart(
            torch.tensor(list(sizes)),
            {
                "circuit found": found[:, column],
                "random, 95 of 100 are below": chance[:, :, column].quantile(0.95, dim=1),
                "random, median": chance[:, :, column].median(dim=1).values,
            },
            x_title="units in the circuit",
            y_title=name,
        )
    )
k = 8
as_good = (chance[k - 1] >= found[k - 1]).all(1).sum()  # in both numbers
print(f"units, most needed first: {order}")
print(f"{k} units: faithful {found[k - 1, 0]:.2f}, complete {found[k - 1, 1]:.2f}")
middle = chance[k - 1].median(0).values
print(f"random {k}, median: faithful {middle[0]:.2f}, complete {middle[1]:.2f}")
print(f"random sets as good in both: {as_good} of 100")
enough = next(k for k in sizes if found[k - 1, 0] > 0.9)
reveal(
    "1.c",
    enough,
    "For nine tenths of what the whole network can, at most: the search never steps back.",
)
assert found[k - 1, 0] > 0.75 and found[k - 1, 1] > 0.85
assert as_good <= 5

# %% [markdown]
# So "these units tell squares" is now a claim with numbers. Resampling draws images at random, and another draw
# moves them by a few hundredths, so do not make much of one unit more or less. From here on you use eight, half of the layer.
# They clearly beat random sets of eight units that fire. They are *not* one square unit with four edges behind it. Your own
# circuit was neat because you built it; this one was under no such pressure.
#
# It also depends on the way of switching off. The same eight units, judged in three ways:

# %%
for kind in vision.ABLATIONS:
    own = judged(vision.most_needed_units(search, 0, kind)[:8], kind)
    same = judged(order[:8], kind)
    print(f"{kind:9} these eight:      faithful {same[0]:5.2f}, complete {same[1]:5.2f}")
    print(f"{'':9} found by {kind + ':':9} faithful {own[0]:5.2f}, complete {own[1]:5.2f}")
    ranked = vision.most_needed_units(search, 0, kind)
    needed = next(k for k in range(1, 17) if judged(ranked[:k], kind)[0] > 0.9)
    print(f"{'':9} units needed for nine tenths: {needed}")

# %% [markdown]
# Say which ablation was used whenever you say "faithful", and whenever you say "so many units".
#
# Here is the whole network. Blue lines raise what they lead to, orange ones lower it. Weak connections are not drawn,
# but they count. A ring marks the eight units of the circuit. Click a unit or a line to switch it off, or press
# Tab, move with the arrow keys, and press Space. Each bar shows how many images of that class are named right.
#
# 1. Follow the lines into *square*. Are they as strong as those into *cross*? Do they all come from ringed units?
# 2. Press *Only the circuit*, then *Only as many random ones* five times. How far apart are the means?
# 3. Press *Without the circuit*. Which bars fall? Is it a square circuit, then?
# 4. Choose *mean*, and press *Without the circuit* again. What happened to the bar of squares? Look at the other bars.

# %%
small_trace = vision.Trace(network, test_images[:240], test_labels[:240], seed=5)


def accuracy_without(units, connections, kind):
    """The accuracy of each class when these are switched off."""
    logits = small_trace.logits(everything.without(units, connections), kind)
    return vision.accuracy_by_class(logits, small_trace.labels).numpy()


circuit_panel(
    plots.CircuitDiagram(small_trace.strengths(), stimuli.KINDS, network.conv1.weight, cut=0.2),
    accuracy_without,
    [("conv2", unit) for unit in order[:8]],
    kind="resample",
)

# %% [markdown]
# Without the "square circuit" all classes fall to nearly the same level. Its units are not *for* squares; they are for
# whatever helps to tell the six apart. Faithful and complete do not mean exclusive.
#
# With *mean* the network calls nearly everything a square. So all squares are right, and hardly anything else
# is. That is why your score counts both: squares that are called so, and others that are not.

# %% [markdown]
# ### "We know what convolution does"
#
# Some say: CNNs are easy to interpret, because convolution and pooling are simple and known. So take
# that at its word. You know every operation here, and every number. Which units tell squares? Read it off: those with the
# largest weights to the class "square".

# %%
predict(
    "1.d",
    "The eight units with the largest weights to 'square': how faithful a circuit are they?",
    [
        "As good as the one that was found",
        "Better than random units",
        "No better than random units",
    ],
)

# %% tags=["refutes:operations-are-understanding"]
by_weight = network.fc.weight[0].abs().argsort(descending=True).tolist()
read_off = judged(by_weight[:8])
of_live = judged([u for u in by_weight if u in live][:8])
print(f"found by ablation            faithful {found[7, 0]:.2f}, complete {found[7, 1]:.2f}")
print(f"read off the weights         faithful {read_off[0]:.2f}, complete {read_off[1]:.2f}")
print(f"the same, of units that fire faithful {of_live[0]:.2f}, complete {of_live[1]:.2f}")
print(f"random, median               faithful {middle[0]:.2f}, complete {middle[1]:.2f}")
never = [u for u in by_weight[:8] if u not in live]
print(f"of the eight largest weights, these belong to units that never fire: {never}")
reveal("1.d", "No better than random units", "Some of them never fire, and no weight says so.")
# The operations are known, all of them, and so is every weight; what they do on images is not.
assert never and found[7, 0] - read_off[0] > 0.2

# %% [markdown]
# Two of the eight largest weights belong to units that never fire. The weights did not say so; you had to run the network.
# Leave those out, and reading off the weights does much better here, though not as well as the search. It still does
# not say what a unit looks for.
#
# Knowing the operations is like knowing the rules of chess: true, useful, and no explanation of a game.

# %% [markdown] exercise="1.9" kind="free" title="What is a circuit?" minutes=6 difficulty=2 misconceptions=["operations-are-understanding"]
# A colleague shows you a drawing of five units with arrows, and says: "This is the square circuit of our
# network." What is a circuit, and what do you want to know before you believe it? Write five to eight
# sentences.
#
# HINT: Which two numbers did you compute? What did you compare them with?
#
# HINT: How were the other units switched off, and on which images was it measured?
#
# RUBRIC:
# - It says that a circuit is features, or units, and the weights between them, that compute something.
# - It asks whether the circuit alone still does it (faithful).
# - It asks what is left when the circuit is switched off (complete).
# - It asks for a control: random sets of the same size.
# - It asks how things were switched off (zero, mean, resample), or why that matters.
# - It says that images for the search and for the judgement must be different ones.
#
# MODEL ANSWER:
# A circuit is a set of units and the weights between them that together compute something we can name, as four
# edge units and one weighted sum make a square detector. A drawing is a hypothesis. I want to know how well
# the network tells squares when everything else is switched off, and how badly when only the circuit is
# switched off. Both on a scale from nothing to the whole network, and beside random sets of as many units, on
# images that were not used to find it. I also ask how it was switched off: zeros unbalance the network, so
# that some units look vital; means leave a good guess; resampling lets another image speak. And knowing what convolution
# does, or which weights are large, tells me none of this.
#
# MISCONCEPTIONS:
# - operations-are-understanding: You knew every operation and every weight of this network. Two of the eight units with the largest weights never fired at all, and you had to run the network to know.

# %%
ask("1.9")

# %% [markdown]
# ## 3. Universality
#
# Train the same network again with another seed, and other units come out. Are they the same ones in another
# order? And a network for another task: does it find the same features? The first paper called its evidence
# "anecdotal" [1]. You will end with a number, how sure it is, and what it is compared with.
#
# Here are sixteen networks of the same size: three for shapes, three for handwritten digits, two whose labels
# were **shuffled**, so that a label says nothing about its image, and eight that were never
# trained. The first is that of section 2. The others are trained half as long.

# %% tags=["long"]
digits = load_digits()  # 1,797 handwritten digits of 8 x 8 pixels
digit_images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
digit_images = 0.5 + 0.4 * F.interpolate(digit_images, size=(24, 24), mode="bilinear")
digit_images = F.pad(digit_images, [4] * 4, value=0.5)
digit_images += 0.1 * torch.randn(digit_images.shape, generator=seeded(6))
digit_images = digit_images.clamp(0, 1)
digit_labels = torch.tensor(digits.target)
mixed = torch.randperm(len(digit_labels), generator=seeded(7))
learn, held_out = mixed[:1400], mixed[1400:]
ten = vision.CNNConfig(n_classes=10)
shuffled_labels = shape_labels[torch.randperm(len(shape_labels), generator=seeded(8))]

began = time.perf_counter()
networks = {
    "shapes A": network,  # that of section 2
    "shapes B": vision.train_cnn(shapes, shape_labels, seed=1, n_steps=200),
    "shapes C": vision.train_cnn(shapes, shape_labels, seed=2, n_steps=200),
}
for i, name in enumerate("ABC"):
    networks[f"digits {name}"] = vision.train_cnn(
        digit_images[learn], digit_labels[learn], ten, seed=3 + i, n_steps=200
    )
for i, name in enumerate("AB"):
    networks[f"shuffled {name}"] = vision.train_cnn(
        shapes, shuffled_labels, seed=6 + i, n_steps=200
    )
for i, name in enumerate("ABCDEFGH"):
    networks[f"untrained {name}"] = vision.SmallCNN(seed=8 + i).requires_grad_(False)
print(f"trained in {time.perf_counter() - began:.0f} s; right, of images that they have not seen:")
for name in list(networks)[:8]:
    shown, truth = test_images, test_labels
    if name.startswith("digits"):
        shown, truth = digit_images[held_out], digit_labels[held_out]
    right = (networks[name](shown).argmax(1) == truth).float().mean()
    print(f"  {name}: {right:.1%}")
    assert right > 0.85 or (name.startswith("shuffled") and right < 0.3)

# %% [markdown]
# What did the networks with shuffled labels learn? Look at their accuracy: one in six is chance. They were trained as
# long, and found nothing. They show what training alone does to a network.

# %% [markdown]
# ### The same kinds of features?
#
# First the first layer, unit by unit: is it an edge detector? With the strict line of section 1, uniform light may do a
# twentieth of what the best stripes do. With eight small filters almost none passes that, so here is a mild line,
# too: up to half. In both, the selectivity must be above 0.15.


# %%
def first_layer(network):
    """Uniform against best stripes, and selectivity, of the units in the first layer."""
    stripes = vision.orientation_responses(
        network, "conv1", angles, size=33, frequency=(1 / 8, 1 / 6, 1 / 4), phase=phases.tolist()
    )
    steps = torch.tensor([0.0, 0.5, 1.0]).reshape(3, 1, 1, 1).expand(3, 1, 33, 33)
    low, middle, high = vision.activations(network, steps, ["conv1"], at="centre")["conv1"]
    flat = torch.maximum(low - middle, high - middle).relu() / stripes.amax(0).clamp_min(1e-9)
    return flat, vision.selectivity(stripes, angles)


counts = {}
for name, net in networks.items():
    flat, sharp = first_layer(net)
    passed = [int(((flat < line) & (sharp > 0.15)).sum()) for line in (0.05, 0.5)]
    counts.setdefault(name.split()[0], []).append(passed)
for kind, rows in counts.items():
    strict, mild = zip(*rows)
    print(f"{kind:10} edge units of 8, strict {strict}, mild {mild}")

# %% [markdown]
# Compare with the untrained ones. By neither line do the trained networks have more edge detectors. With
# eight units, and with random filters that are tuned anyway, "both networks have edge detectors" is no
# evidence of anything.

# %% [markdown]
# ### The same directions, on other axes?
#
# Even if no unit looks the same, two layers may hold the same information, turned. **Linear CKA** [4] asks: do the
# two networks agree about which *images* are alike? Put the activations of one layer in a matrix, one row an
# image, one column a unit. Take out the column means. Then
#
# $$\mathrm{CKA}(X, Y) = \frac{\lVert Y_c^\top X_c \rVert^2}{\lVert X_c^\top X_c \rVert \, \lVert Y_c^\top Y_c \rVert}$$
#
# with Frobenius norms: the root of the sum of all squares. $Y_c^\top X_c$ compares every unit of one network with
# every unit of the other. The norms below keep the result from 0 to 1.

# %% [markdown] exercise="1.10" title="Linear CKA" minutes=7 difficulty=2 misconceptions=[]
# Write `linear_cka`. X and Y have the same rows (images), but may have different numbers of columns (units). X_c is
# X minus the mean of each column. Return one float.
#
# HINT: `X - X.mean(0)` takes the mean of each column out. `M.norm()` is the Frobenius norm of a matrix.
#
# HINT: The numerator is the *square* of a norm. The denominator has two norms, not squared. `float(...)`
# at the end.


# %%
def linear_cka(X: torch.Tensor, Y: torch.Tensor) -> float:
    """Linear CKA of X (n_samples, d1) and Y (n_samples, d2): a number from 0 to 1."""
    ### BEGIN SOLUTION
    X, Y = X - X.mean(0), Y - Y.mean(0)
    return float((Y.T @ X).norm() ** 2 / ((X.T @ X).norm() * (Y.T @ Y).norm()))
    ### END SOLUTION


linear_cka = check("1.10", linear_cka)

# %%
X = torch.randn(200, 6, generator=seeded(0))
turned = torch.linalg.qr(torch.randn(6, 6, generator=seeded(1)))[0]
stretched = torch.diag(torch.tensor([10.0, 3, 1, 1, 1, 1]))
print(f"X with itself, turned         {linear_cka(X, X @ turned):.3f}")
print(f"five times as large, shifted  {linear_cka(X, 5 * X + 2):.3f}")
print(f"stretched along one axis      {linear_cka(X, X @ stretched):.3f}")
unrelated = torch.randn(200, 6, generator=seeded(2))
print(f"unrelated, 200 samples        {linear_cka(X, unrelated):.3f}")
print(f"unrelated, 10 samples         {linear_cka(X[:10], unrelated[:10]):.3f}")
assert abs(linear_cka(X, X @ turned) - 1) < 1e-4 and abs(linear_cka(X, 5 * X + 2) - 1) < 1e-4
assert linear_cka(X, X @ stretched) < 0.9

# %% [markdown]
# The last line is a warning: with few samples, noise looks alike. From here on the library's version without
# that bias is used: `similarity.linear_cka(X, Y, unbiased=True)`.

# %% [markdown] exercise="1.11" title="The best partner" minutes=6 difficulty=2 misconceptions=["universality-is-one-circuit"]
# CKA does not care about units. The opposite question is: does each *unit* of X have a partner in Y? For each
# column of X, in order, return the largest absolute correlation with any column of Y. A column that never varies gets 0.
#
# HINT: Correlation: take the column means out, divide each column by its length, and multiply: `X.T @ Y` has
# all correlations, (d1, d2).
#
# HINT: `.abs().max(dim=1).values`. A column that never varies has length 0: `clamp_min(1e-12)` keeps the
# division from failing.


# %%
def best_partners(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """For each column of X (n, d1) the largest |correlation| with a column of Y (n, d2): (d1,)."""
    ### BEGIN SOLUTION
    X, Y = X - X.mean(0), Y - Y.mean(0)
    X, Y = X / X.norm(dim=0).clamp_min(1e-12), Y / Y.norm(dim=0).clamp_min(1e-12)
    return (X.T @ Y).abs().max(dim=1).values
    ### END SOLUTION


best_partners = check("1.11", best_partners)

# %%
predict(
    "1.e",
    "CKA between the second layers of two networks that were never trained, with different "
    "random weights?",
    (0.0, 1.0),
)

# %% [markdown]
# Now measure. All networks see the same 600 images: shapes, digits and stripes, none of which they were trained
# on. Of each unit the largest value in the image counts.
#
# One trap first. The images are of three kinds. Two networks that only tell the kinds apart would look alike. So the mean
# of each kind is taken out, and shuffling stays within a kind. You will see what happens without that.
#
# Two kinds of null. **Shuffled images**: the images of one network in random order. It says what comes out
# when nothing corresponds. **Other networks**: untrained ones, and those with shuffled labels. They say what comes out
# without having learned the task.
#
# The panel has every pair of eight of the networks. Click a cell of the table, or move *Pair*. On the right, the blue
# dot is the pair, and its line shows how far the number moves with other images. The thin grey band is the null: images in random
# order. The orange diamond is the strongest control: the highest value that one of the two has with a network that
# did not learn.
#
# 1. Set *Layer* to conv2. Which pair of learned networks is least alike?
# 2. Compare *untrained A* with *shapes A*, then with *untrained B*. Did you expect that?
# 3. Set *Measure* to units, one to one. Which pairs are still to the right of their diamond?

# %%
dice = seeded(9)
stripes = stimuli.grating(
    360 * torch.rand(200, generator=dice),
    0.05 + 0.2 * torch.rand(200, generator=dice),
    360 * torch.rand(200, generator=dice),
)
probe = torch.cat([test_images[:200], digit_images[held_out][:200], stripes])
kind_of_image = torch.arange(600) // 200
layers = ("conv1", "conv2")
raw = {name: vision.activations(net, probe, layers, at="max") for name, net in networks.items()}


def within(X):
    """Without the mean of each kind of image: shapes, digits, stripes, 200 each."""
    return torch.cat([part - part.mean(0) for part in X.split(200)])


seen = {name: {layer: within(X) for layer, X in of.items()} for name, of in raw.items()}


def cka(X, Y):
    return similarity.linear_cka(X, Y, unbiased=True)


def one_to_one(X, Y):
    return float(similarity.matched_correlation(X, Y, one_to_one=True)[0].mean())


learned = [name for name in networks if name.startswith(("shapes", "digits"))]
measures = {"linear CKA": cka, "units, one to one": one_to_one}
in_panel = [name for name in networks if name[-1] in "AB"]
table = {
    part: {m: torch.full((len(layers), len(in_panel), len(in_panel)), math.nan) for m in measures}
    for part in ("value", "low", "high", "null_low", "null_high")
}
for measure, f in measures.items():
    for k, layer in enumerate(layers):
        for i, j in itertools.combinations(range(len(in_panel)), 2):
            X, Y = seen[in_panel[i]][layer], seen[in_panel[j]][layer]
            low, high = similarity.half_sample_interval(f, X, Y, n=50, generator=seeded(10))
            null = similarity.permuted(
                f, X, Y, n_permutations=50, groups=kind_of_image, generator=seeded(11)
            )
            found = (f(X, Y), low, high, null.min(), null.max())
            for part, number in zip(table.values(), found):
                part[measure][k, i, j] = part[measure][k, j, i] = float(number)
universality_panel(
    plots.NetworkSimilarities(
        in_panel, layers, **table, controls=[n for n in in_panel if n not in learned]
    )
)

# %% [markdown]
# Two seeds could be luck. So here are all sixteen networks, a dot for each pair. The dots of a column differ in the
# seeds. They are not independent, since each network is in several pairs. So their spread describes these few
# networks; it is no confidence interval for all.


# %%
def kind_of(a, b):
    """What a pair of networks can tell."""
    first, second = a.split()[0], b.split()[0]
    for word in ("untrained", "shuffled"):
        if first == second == word:
            return f"both {word}"
        if word in (first, second):
            return f"with {word}" if {a, b} & set(learned) else None
    return "same task" if first == second else "other task"


kinds_of_pairs = ("same task", "other task", "with shuffled", "with untrained", "both untrained")


def cka_of_pairs(of, layer):
    """CKA of every pair of networks, by what the pair can tell."""
    values = {kind: [] for kind in kinds_of_pairs}
    for a, b in itertools.combinations(networks, 2):
        if (kind := kind_of(a, b)) in values:
            values[kind].append(cka(of[a][layer], of[b][layer]))
    return {kind: torch.tensor(listed) for kind, listed in values.items()}


alike = {layer: cka_of_pairs(seen, layer) for layer in layers}
for layer, values in alike.items():
    show(plots.dot_columns(values, x_title=f"pair of networks, {layer}", y_title="CKA"))
    print(layer)
    for kind, numbers in values.items():
        print(
            f"  {kind:15} {numbers.mean():5.2f} on average of {len(numbers):2} pairs, "
            f"from {numbers.min():.2f} to {numbers.max():.2f}"
        )
with_kinds = cka_of_pairs(raw, "conv2")
print("conv2, with the kinds of image left in")
for kind in ("other task", "both untrained"):
    print(f"  {kind:15} {with_kinds[kind].mean():5.2f} on average")
for seed, name in enumerate(learned):
    start = vision.SmallCNN(networks[name].config, seed=seed).requires_grad_(False)
    before = within(vision.activations(start, probe, ["conv2"], at="max")["conv2"])
    from_start = cka(seen[name]["conv2"], before)
    print(f"{name}, conv2, with its own start: {from_start:.2f}")
X, Y = seen["shapes A"]["conv2"], seen["shapes B"]["conv2"]
low, high = similarity.half_sample_interval(cka, X, Y, n=100, generator=seeded(10))
null = similarity.permuted(cka, X, Y, n_permutations=99, groups=kind_of_image, generator=seeded(11))
value = cka(X, Y)
print(f"shapes A and B, conv2: CKA {value:.2f}, {low:.2f} to {high:.2f} with other images")
p = similarity.p_value(value, null)
print(f"images shuffled: at most {null.max():.2f}; p = {p:.2f}, the smallest that 99 shuffles give")
reveal(
    "1.e",
    round(float(alike["conv2"]["both untrained"].mean()), 2),
    f"And {with_kinds['both untrained'].mean():.2f} with the kinds of image left in: a trap.",
)
first, second = alike["conv1"], alike["conv2"]
assert first["other task"].min() > first["with untrained"].max()
assert second["same task"].min() > second["with untrained"].max()
assert second["other task"].mean() > second["with untrained"].mean() + 0.15
assert with_kinds["both untrained"].mean() > second["both untrained"].mean() + 0.2
assert p <= 0.01

# %% [markdown]
# Read the two figures.
#
# - **First layer**: trained networks agree, for the same task and for another. Untrained ones agree much less with them.
# - **Second layer**: networks for the same task agree. For another task it depends on the pair: some agree, some no more
#   than with an untrained network.
# - With the kinds of image left in, two untrained networks would have looked alike, and "universality across
#   tasks" would have looked strong. A high number alone says nothing.
# - Training moved every network away from its own start, and towards the others that were trained.

# %% [markdown]
# ### The same units? The same circuit?
#
# Take the square circuit of one shape network, eight units, and look for it in another: the units with the same
# numbers, and, to be fair, the best partners of those units by correlation. Beside them the other's own
# circuit, and random sets of units that fire. Three networks make six such moves.

# %% tags=["refutes:universality-is-one-circuit"]
shape_names = [name for name in networks if name.startswith("shapes")]
traces = {
    name: vision.Trace(networks[name], test_images, test_labels, seed=5) for name in shape_names
}
circuits = {"shapes A": order[:8]}
for name in shape_names[1:]:
    searched = vision.Trace(networks[name], search_images, search_labels, seed=4)
    circuits[name] = vision.most_needed_units(searched, 0)[:8]


def judged_in(name, units):
    """(faithful, complete) of these units of the second layer, in that network."""
    net, of = networks[name], traces[name]
    circuit, whole = vision.Circuit.of_units(net, conv2=set(units)), vision.Circuit.of_units(net)
    both = judge(lambda c: squares(of.logits(c)), circuit, ~circuit, whole, ~whole)
    return [float(x) for x in both]


moved = {"own": [judged_in(name, circuits[name]) for name in shape_names]}
moved |= {"partners": [], "same numbers": []}
for a, b in itertools.permutations(shape_names, 2):
    _, match = similarity.matched_correlation(seen[a]["conv2"], seen[b]["conv2"], one_to_one=True)
    moved["partners"].append(judged_in(b, match[circuits[a]].tolist()))
    moved["same numbers"].append(judged_in(b, circuits[a]))
dice = random.Random(1)
moved["random"] = []  # of those that fire
for name in shape_names:
    firing = (traces[name].fired.std(0) > 1e-2).nonzero().flatten().tolist()
    for _ in range(40):
        moved["random"].append(judged_in(name, dice.sample(firing, 8)))
moved = {name: torch.tensor(pairs) for name, pairs in moved.items()}
for column, what in enumerate(("faithful", "complete")):
    show(
        plots.dot_columns(
            {name: pairs[:, column] for name, pairs in moved.items()},
            x_title="eight units of a network for shapes",
            y_title=what,
        )
    )
for name, pairs in moved.items():
    (faithful, complete), low, high = pairs.mean(0), pairs.amin(0)[0], pairs.amax(0)[0]
    print(f"{name:26} faithful {faithful:.2f} ({low:.2f} to {high:.2f}), complete {complete:.2f}")
X, Y = seen["shapes A"]["conv2"], seen["shapes B"]["conv2"]
fires = X.std(0) > 1e-3 * X.std(0).max()
turn = torch.linalg.qr(torch.randn(16, 16, generator=seeded(12)))[0]
partner, by_chance = (best_partners(X, Z)[fires].mean() for Z in (Y, Y @ turn))
print(f"\nbest partner in B, mean over units of A that fire: {partner:.2f}")
print(f"the same after a random turn of B's layer:         {by_chance:.2f}")
# One circuit does not fit all, not even for one task: the numbers of units mean nothing.
own, borrowed = moved["own"], moved["same numbers"]
assert own[:, 0].min() > borrowed[:, 0].mean() + 0.2
assert own[:, 0].mean() > moved["partners"][:, 0].mean() + 0.1

# %% [markdown]
# Units with the same numbers do no better than random ones, of course: numbers mean nothing. The partners do about as well
# as random units that fire, and it depends much on the pair: from far better to worse. So you cannot say that the circuit
# moved over. And B's units are hardly better partners for A's than B's layer turned at random. With one pair of
# networks you could have reported either.

# %% [markdown] exercise="1.12" kind="free" title="Are features universal?" minutes=6 difficulty=2 misconceptions=["universality-is-one-circuit"]
# A friend says: "Universality means that the same circuit works for different tasks." Answer with what you
# measured: what was shared between networks, what was not, compared with what, and how sure are you? Give at least one number
# with its error bar. Five to eight sentences.
#
# HINT: Which pairs had a high CKA, which a low one? Which null was the surprising one?
#
# HINT: What happened to the square circuit when you looked for it in the other networks?
#
# RUBRIC:
# - It says that universality is a hypothesis: analogous features and circuits form in different networks.
# - It gives a CKA with its interval and says between which networks.
# - It compares with untrained networks or shuffled labels, or shuffles within a kind of image: not with 0 alone.
# - It says that units were no better matched than random axes, or that the circuit did not move over.
# - It names a limit: few seeds, one small architecture, one kind of images, one measure.
#
# MODEL ANSWER:
# It is a hypothesis about analogous features in different networks, not one circuit that fits all. In my small
# networks, with the mean of each kind of image taken out, seeds for the same task agree in the second layer (six
# pairs of six networks, CKA about 0.7 to 0.9), more than any pair with an untrained network. Shapes and digits agree less and
# unevenly. In the first layer both kinds of pair are above 0.8, and pairs with untrained networks stay below. For one
# pair the interval over other images is about 0.08 wide. Without taking the means out, untrained networks agree at 0.7, so a high
# number alone says nothing. The square circuit, moved to the best partners in another network, did no better than random units
# that fire. All this is three seeds a task, one small architecture, and images of a simple kind.
#
# MISCONCEPTIONS:
# - universality-is-one-circuit: You moved the circuit to other networks for the very same task. In units with the same numbers it was no better than random ones, and in the best partners no better on average than other units that fire.

# %%
ask("1.12")

# %% [markdown]
# ## What you can say now
#
# - A tuning curve shows a preference. Random weights have preferences, too; what training gives are units
#   that ignore what they should ignore, and preferences that survive disguise.
# - A circuit is a claim with two numbers, faithful and complete, next to random sets of units and with its
#   ablation named.
# - Networks can share a space; nothing here shows that they share units. The null decides what a similarity means.
#
# **The papers say, and here:**
#
# | claim | source | here |
# |---|---|---|
# | early layers have edge detectors | [1] | yes in the published network; the small networks have no more than random filters |
# | there are curve detectors | [3] | some units of block 6 pass; half of the "curve lovers" of a single picture fail in disguise; random directions pass nearly as often as units |
# | circuits can be read off the weights | [1] | not tried for one unit; to find the units for squares, weights alone were no better than chance |
# | features are universal | [1] | first layer shared across tasks, second for one task and partly across; units no better matched than random axes; the circuit did not move over |
#
# **Sources.** [1] Olah et al., "Zoom In: An Introduction to Circuits" (Distill, 2020). [2] Tan and Le,
# "EfficientNet" (2019). [3] Cammarata et al., "Curve Detectors" (Distill, 2020). [4] Kornblith et al.,
# "Similarity of Neural Network Representations Revisited" (2019).
