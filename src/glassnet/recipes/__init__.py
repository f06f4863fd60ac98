"""Whole experiments as files: recipes and run directories."""

from glassnet.recipes.directory import free_directory, new_directory, open_run
from glassnet.recipes.ensembles import committee
from glassnet.recipes.examining import examine_recipe, examine_run
from glassnet.recipes.explaining import open_with_data, place_in_file, rows_of_file, without_column
from glassnet.recipes.finished import Finished
from glassnet.recipes.leaderboard import leaderboard
from glassnet.recipes.predicting import predict_file, predictions
from glassnet.recipes.reading import choose, from_dict, load, names, text, with_training
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.training import train
from glassnet.recipes.using import evaluate_file, evaluate_run, export_run, gradcheck

__all__ = [
    "Finished",
    "Recipe",
    "choose",
    "committee",
    "evaluate_file",
    "evaluate_run",
    "examine_recipe",
    "examine_run",
    "export_run",
    "free_directory",
    "from_dict",
    "gradcheck",
    "leaderboard",
    "load",
    "names",
    "new_directory",
    "open_run",
    "open_with_data",
    "place_in_file",
    "predict_file",
    "predictions",
    "rows_of_file",
    "text",
    "train",
    "with_training",
    "without_column",
]
