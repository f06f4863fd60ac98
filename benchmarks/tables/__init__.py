"""The parts of benchmarks/suite.py: glassnet's default for tables beside other libraries' defaults, on real tables.

tables.toml    what the tables are, where they come from, and which are looked at when
sources.py     rows of a table, and how they are split       prepare.py    columns as other libraries want them
contenders.py  who is compared, each as is recommended       kinds.py      names of a fit
fit.py         one fit in a process of its own               figures.py    how good it is
results.py     what is kept of it, in results.json           losses.py     CatBoost's losses by row, in losses.npz
comparing.py   ratios, ranks, intervals                      report.py     the page docs/tables.md
looks.py       every look at part B, in looks.md
"""
