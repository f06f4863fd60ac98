"""Tables larger than memory: a sample of the rows in memory, and all of them on disk, ready for a network.

blocks.py   a table, some rows at a time        survey.py   one pass: counts, classes and rows drawn at random
chunks.py   rows on disk, dealt into chunks     table.py    from a table to a Dataset
room.py     how much memory there is, and what  spool.py    chunks of rows that come from Python
            a table would take
"""

from glassnet.data.stored.room import memory_for
from glassnet.data.stored.spool import load_chunks
from glassnet.data.stored.table import load_stored

__all__ = ["load_chunks", "load_stored", "memory_for"]
