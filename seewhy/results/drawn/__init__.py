"""A run as pictures: galleries, plots, notebook cells, sheets of findings."""
