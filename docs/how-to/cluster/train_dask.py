from pathlib import Path

import joblib
from dask.distributed import Client

from glassnet import recipes

if __name__ == "__main__":
    with Client() as client, joblib.parallel_config("dask"):  # Client("tcp://HOST:8786") for a cluster
        recipes.train(recipes.load("digits", changes=["ensemble=4"]), Path("runs/digits"), progress=True)
