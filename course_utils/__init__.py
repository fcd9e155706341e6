"""The workbook's shared package: small modules that are meant to be read.

    features     sparse, correlated and anticorrelated synthetic features
    geometry     how directions share a space
    toy_models   toy models of superposition and their training
    assets       pinned weights of published networks
    language     language models: loading, activations, changing what passes
    snippets     texts written for the course
    contexts     texts of known kinds
    neurons      what a neuron is active for
    polysemanticity  two features or signs: their directions, what they share
    vision       networks that see
    stimuli      generated images
    similarity   how alike two representations are, with nulls
    plots        arrays in, plotly figures out
    widgets      sliders and panels
    server       a setting of JupyterLab that lets them answer at once
    checks       the exercises' checks

Import the module you need, as in ``from course_utils import toy_models``. This file imports
nothing, so that ``import course_utils`` never loads what a notebook does not use.
"""
