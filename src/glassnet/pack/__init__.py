"""A pack: small networks of their own, each of which holds out other rows, mixed by what they answer for those.

candidate.py  a kind of network, and its training     answers.py   what outputs mean: errors, temperatures
trainee.py    one network in training                  mixture.py   candidates with shares, and their greedy choice
training.py   rounds, until all is done or time is up  pack.py      the trained pack, and the file that keeps it
"""

from glassnet.pack.candidate import Candidate
from glassnet.pack.pack import Pack, fit_pack

__all__ = ["Candidate", "Pack", "fit_pack"]
