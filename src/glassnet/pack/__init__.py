"""A pack: small networks of their own, each of which holds out other rows, mixed by what they answer for those."""

from glassnet.pack.candidate import CANDIDATES, Candidate
from glassnet.pack.pack import Pack, fit_pack

__all__ = ["CANDIDATES", "Candidate", "Pack", "fit_pack"]
