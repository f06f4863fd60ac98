"""The search for hyperparameters: trials that see training and validation rows only, and the recipe that wins.

space.py    the search space, the recipe's or the default one; a recipe with other values
trial.py    one training, watched epoch by epoch; the test part is dropped before
study.py    the trials so far, which several processes share: in a file (Optuna's journal) or a storage
journal.py  that file, so that no killed process spoils it
storage.py  a database or a server in its place
workers.py  the processes: whose trial is whose, and which process was killed
search.py   the loop, and the best few once more with further seeds
interrupt.py  Ctrl-C, but not in the middle of writing
result.py   the files: recipe.toml, trials.csv, study.json, pictures
progress.py  the bar and the lines while it runs
"""

from glassnet.tuning.result import Result
from glassnet.tuning.search import check_installed, tune

__all__ = ["Result", "check_installed", "tune"]
