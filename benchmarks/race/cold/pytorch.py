"""The recipe mnist-fast with PyTorch. Eager: torch.compile would take longer to compile than this takes to train."""

import torch

from race import digits
from race.cases import THREADS, parameters
from race.contenders.pytorch import network
from race.recipe import IMAGES, read

torch.set_num_threads(THREADS)
recipe, data = read(), digits.load()
x_train, x_test = (torch.from_numpy(x) for x in data.standardised(IMAGES))
y_train = torch.from_numpy(data.y[:IMAGES])
net = network(parameters(recipe.widths))
loss = torch.nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
optimizer = torch.optim.SGD(net.parameters(), recipe.lr, momentum=recipe.momentum, fused=True)
learning_rates = iter(recipe.learning_rates().tolist())
for _ in range(recipe.epochs):
    for rows in torch.randperm(IMAGES).split(recipe.batch):
        optimizer.param_groups[0]["lr"] = next(learning_rates)
        optimizer.zero_grad()
        loss(net(x_train[rows]), y_train[rows]).backward()
        optimizer.step()
with torch.inference_mode():
    digits.report(net(x_test).argmax(dim=1).numpy(), data.y_test)
