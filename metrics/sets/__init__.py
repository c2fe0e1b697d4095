"""Distances between two sets of features: Fréchet, kernels, divergences, coverage. They know no networks."""
