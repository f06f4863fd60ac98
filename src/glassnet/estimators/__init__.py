"""scikit-learn's face: MLPClassifier and MLPRegressor with its parameters, attributes, methods and numbers.

    parameters.py  what parameters may be, and what their words mean    base.py        what both estimators do
    objective.py   what is minimised, as scikit-learn scales it         classifier.py  regressor.py
    plain.py       rows, network and training as scikit-learn has them  strong.py      preset="strong": a pack
    problem.py     what is to be learned         plan.py        what a training is to do
    stochastic.py  epochs of sgd and adam        state.py       what is carried from one training to the next
    lbfgs.py       SciPy's L-BFGS                passes.py      prediction and steps, of sparse rows too
    tables.py      rows of data frames           validation.py  rows held out
    hooks.py       scikit-learn's own callbacks (1.9 and newer)

Importing it loads scikit-learn. With the same random_state, a fit takes the same steps as scikit-learn's: weights
agree but for rounding.
"""

from glassnet.extras import need

need("sklearn", "sklearn", "scipy")

# ruff: noqa: E402
from glassnet.estimators.classifier import MLPClassifier
from glassnet.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
