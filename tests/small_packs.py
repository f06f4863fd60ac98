"""Changes to the recipe `table` with which its pack trains in a fraction of a second."""

ONE_KIND = ["pack.candidates={}", "pack.networks=2", "network.embedding.dim=2"]
SMALL_PACK = [*ONE_KIND, "network.hidden=[8]", "pack.ends=[1, 2]"]
LEARNING_PACK = [*ONE_KIND, "network.hidden=[16]", "optimizer.lr=0.02", "pack.ends=[10, 30]"]
