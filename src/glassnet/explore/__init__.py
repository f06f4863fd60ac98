"""The browser's door: a page on which one sees and steps through a network, and one on which one builds and trains one.

Both are served on loopback, or written to a file.

shipped.py, make.py            the network that comes with glassnet, and how it was made
subject.py                     the subject: network, data, loss, optimizer
course.py, trainer.py          training that can be stopped and changed at any step, in a thread of its own
session.py                     the answer to each question of the page     network_view, code, encoding
guard.py, server.py, page.py   the guard, the server, the pages            static/  the explorer's modules and style
play.py, catalog.py            the playground, and what it can build       playground/  its modules and style
engine.py, frozen.py           the kernels in WebAssembly, and a trained network for them    wasm/  their sources
"""

from glassnet.explore.course import Course, in_use, replay, twin
from glassnet.explore.page import write
from glassnet.explore.play import write_playground
from glassnet.explore.server import Server, check_installed, serve
from glassnet.explore.subject import Subject, open_subject

__all__ = [
    "Course",
    "Server",
    "Subject",
    "check_installed",
    "in_use",
    "open_subject",
    "replay",
    "serve",
    "twin",
    "write",
    "write_playground",
]
