"""How `make docs` builds these pages. They load nothing from anywhere: formulas and styles lie beside them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from jupyter_client import KernelManager
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import glassnet

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

project = "glassnet"
author = project_copyright = "The glassnet authors"
release = version = glassnet.__version__

sys.path.insert(0, os.fspath(HERE))
extensions = [
    "playgrounds",  # beside this file
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "**/_*.md", "**.ipynb_checkpoints"]
nitpicky = True
smartquotes = False
default_role = "code"  # a name in single backticks, as our docstrings write it

# Looks ----------------------------------------------------------------------------------------------------------------

html_theme = "furo"
html_title = f"glassnet {release}"
html_static_path = ["_static"]
html_css_files = ["glassnet.css"]
html_js_files = ["playgrounds.js"]
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#005a8e", "color-brand-content": "#0072b2"},
    "dark_css_variables": {"color-brand-primary": "#7cc4ec", "color-brand-content": "#7cc4ec"},
}
pygments_style, pygments_dark_style = "tango", "github-dark"
maximum_signature_line_length = 100
copybutton_prompt_text = "$ "

# Pages that are run ---------------------------------------------------------------------------------------------------

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_excludepatterns = ["notebooks/*"]  # kept with their outputs: they need MNIST, and minutes
nb_execution_show_tb = True  # a cell that fails is a warning, hence an error
nb_execution_timeout = 600  # of a cell, on a busy machine
nb_execution_in_temp = True
nb_code_prompt_show, nb_code_prompt_hide = "Show how it is drawn", "Hide how it is drawn"
nb_output_stderr = "remove"  # the progress of training: a line for each epoch
KernelManager.transport_encryption.default_value = "auto"  # else each kernel warns that it has none
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # %%sh finds glassnet
os.environ["TTY_COMPATIBLE"] = "0"  # and writes no colours, though IPython asks every program for them
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same sums, hence figures, on every machine

# The reference --------------------------------------------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_type_aliases = {f"{at}{name}": name for at in ("", "npt.") for name in ("Array", "ArrayLike", "DTypeLike")}
python_use_unqualified_type_names = True
# Types of Python and NumPy, whose documentation is elsewhere; and names of the library that aren't public.
nitpick_ignore_regex = [("py:.*", r"(?!glassnet\.[A-Z]).*")]


LABELS = r"Shapes:|Backward[:,]|Raises "
NAMES = r"`?[a-z_]\w*`?(?:(?:,| and| or) `?[a-z_]\w*`?)*: "  # "lr: the learning rate" explains a name


def describe(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Show a docstring's plain sentences: those that explain a name as a list, those with a label as fields."""
    shown, fields = [], []
    docstring = re.sub(r"^(- .*(?:\n  .*)*)\n?", r"\n\1\n\n", "\n".join(lines), flags=re.MULTILINE)
    for paragraph in docstring.split("\n\n"):
        if paragraph.startswith(" "):  # an example
            shown.append(f"::\n\n{paragraph}")
            continue
        text = re.sub(r"([|*]|_(?!\w))", r"\\\1", " ".join(paragraph.split()))  # no markup is meant
        text = re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", text)
        blocks = [""]
        for sentence in re.split(rf"(?<=[.:]) (?=[A-Z]|{NAMES})", text):
            if re.match(LABELS, sentence):
                fields.append(re.sub(r"^(\w+)[:,]?", r":\1:", sentence))
            elif re.match(NAMES, sentence):
                names, _, meaning = sentence.partition(": ")
                blocks.append(f"* **{names.replace('`', '')}**: {meaning}")
            else:
                blocks[-1] += f" {sentence}" if blocks[-1] else sentence
        shown += ["\n".join(blocks[:1]), "\n".join(blocks[1:])]
    lines[:] = "\n\n".join([*filter(None, shown), "\n".join(fields), ""]).split("\n")


# What is put together before and after reading ------------------------------------------------------------------------


def gather(app: Sphinx) -> None:
    """Copy the notebooks to where Sphinx reads, and let typer write down the command line."""
    shutil.copytree(ROOT / "notebooks", HERE / "notebooks", ignore=shutil.ignore_patterns("*.py"), dirs_exist_ok=True)
    command = [sys.executable, "-m", "typer", "glassnet.cli", "utils", "docs", "--name", "glassnet"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (HERE / "reference" / "_commands.md").write_text("## " + text.partition("\n## ")[2])


def tidy_cells(app: Sphinx, page: nodes.document) -> None:
    """Show what a cell printed as one block, and a cell for the terminal without IPython's first line, %%sh."""
    for cell in page.findall(nodes.container):
        if "cell_output" in cell["classes"]:
            streams = [block for block in cell.children if "stream" in block["classes"]]
            for block in streams:
                cell.remove(block)
            if streams:
                text = re.sub(" +\n", "\n", "".join(block.astext() for block in streams))
                cell.insert(0, nodes.literal_block(text, text, language="text", classes=["output", "stream"]))
        elif "cell_input" in cell["classes"]:
            for block in cell.findall(nodes.literal_block):
                if block.rawsource.startswith("%%sh"):
                    text = block.rawsource.partition("\n")[2]
                    block.replace_self(nodes.literal_block(text, text, language="sh"))


def plain_types(app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: Any, answer: Any) -> Any:
    """Write an alias of a type as its name, and arrays as Array."""
    found = r"TypeAliasForwardRef\('(\w+)'\)|[~.\w]*ndarray\[tuple\[[^]]*\], [~.\w]*dtype\[[~.\w]*Any\]\]"
    return tuple(
        text and re.sub(found, lambda match: match[1] or "Array", text.replace("npt.", ""))
        for text in (signature, answer)
    )


class Every(SphinxDirective):
    """All public classes below one, with those of the named methods that they define, and last that one itself.

    With :direct: those right below it alone, without the bases of others. So a layer, a loss or an optimizer that is
    added is in the reference by itself.
    """

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"members": lambda text: text.split(", "), "direct": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Write a directive `autoclass` for each."""
        base, wanted = getattr(glassnet, self.arguments[0].rpartition(".")[2]), self.options.get("members", [])
        lines = []
        direct = [each for each in below(base) if base in each.__bases__ and "forward" in vars(each)]
        for each in direct if "direct" in self.options else (*below(base), base):
            own = ", ".join(name for name in wanted if name in vars(each))
            members = "   :members:" + (f" {own}" if each is not base else "")
            lines += [f".. autoclass:: glassnet.{each.__name__}", *([members] if own or each is base else []), ""]
        return self.parse_text_to_nodes("\n".join(lines))


def below(base: type) -> Iterator[type]:
    """Yield the public classes below one, in the order in which they are defined."""
    for each in base.__subclasses__():
        if getattr(glassnet, each.__name__, None) is each and each.__module__.startswith("glassnet."):
            yield each
        yield from below(each)


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the above."""
    app.add_directive("every", Every)
    app.connect("builder-inited", gather)
    app.connect("autodoc-process-docstring", describe)
    app.connect("autodoc-process-signature", plain_types)
    app.connect("doctree-read", tidy_cells)
