"""Whole experiments as files: recipes, and the run directories that come of them."""

from glassnet.recipes.reading import from_dict, load, names
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import open_run, train

__all__ = ["Recipe", "from_dict", "load", "names", "open_run", "train"]
