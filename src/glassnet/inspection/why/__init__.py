"""Why a model answers as it does: which columns matter, how it follows each, and what a row's answer is made of.

outputs.py        the answer as one number, and its slope          importance.py  what shuffling a column costs
columns.py        groups of columns that go together               dependence.py  the answer along a column or two
contributions.py  the parts of a row's answer, column by column    nearest.py     the change that changes the answer
about.py, row.py  all about the answer to one row                  reasons.py     all about a model
explanation.py    the object that people get                       show.py        text, tables and pictures
"""

from glassnet.inspection.why.explanation import Explanation, explain

__all__ = ["Explanation", "explain"]
