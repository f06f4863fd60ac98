"""The page docs/tables.md, and its summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

import page
from tables import comparing, looks, sources
from tables.comparing import Board
from tables.contenders import CONTENDERS, OURS, OURS_CHANGED, WITH_TIME
from tables.kinds import Kind
from tables.losses import BASE
from tables.results import Records

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
LOSS = 1.01  # a ratio from which a table is lost
INGREDIENTS = Kind(rows=3200)  # the fits that they are judged by
COSTS = {"fit_cpu": "fit, CPU", "predict_cpu": "predict, CPU", "megabytes": "memory"}


def summary(board: Board) -> str:
    """Everybody's errors beside CatBoost's, by part and task, as a table of Markdown."""
    lines = [*_head("tables", "", ">n", ">mean", "95%", ">median", ">better", ">worse", "worst", ">rank")]
    for what, chosen in groups().items():
        ranks = board.ranks(chosen, list(CONTENDERS))
        for name in CONTENDERS:
            rank = f"{ranks[name]:.1f} of {len(ranks)}" if name in ranks else ""
            if name == BASE and rank:
                lines.append(_row(what, name, *[""] * 7, rank))
            ratios = {} if name == BASE else board.ratios(chosen, name, BASE)
            if not ratios:
                continue
            s = comparing.summary(ratios)
            lines.append(
                _row(
                    what,
                    name,
                    *_ratios(s),
                    str(s.tables - s.better),
                    f"{s.worst[0]:.2f} {s.worst[1]}",
                    f"{ranks[name]:.1f} of {len(ranks)}" if name in ranks else "",
                )
            )
    return "\n".join(lines)


def _ratios(s: comparing.Summary) -> list[str]:
    """The cells of a summary: how many tables, the mean and where it lies, the median, how many are better."""
    interval = f"{s.interval[0]:.3f} to {s.interval[1]:.3f}"
    return [str(s.tables), f"**{s.mean:.3f}**", interval, f"{s.median:.3f}", str(s.better)]


def rivals(board: Board) -> str:
    """Our errors beside everybody's, over all tables."""
    lines = [*_head("glassnet beside", ">n", ">mean", "95%", ">median", ">better", "worst")]
    for name in CONTENDERS:
        if ratios := {} if name == OURS else board.ratios(groups()["all"], OURS, name):
            s = comparing.summary(ratios)
            lines.append(
                _row(
                    name,
                    *_ratios(s),
                    f"{s.worst[0]:.2f} {s.worst[1]}",
                )
            )
    return "\n".join(lines)


def with_time(board: Board) -> str:
    """Those that are given minutes, beside the defaults and each other."""
    names = [*WITH_TIME, OURS, BASE]
    lines = [*_head("", "beside", ">n", ">mean", "95%", ">median", ">better", ">fit, CPU")]
    for place, name in enumerate(WITH_TIME):
        for other in [*names[:place], *names[place + 1 :]]:
            if ratios := board.ratios(groups()["all"], name, other):
                cost = comparing.geometric(board.ratios(ratios, name, other, "fit_cpu").values())
                lines.append(_row(name, other, *_ratios(comparing.summary(ratios)), f"{cost:.3g} x"))
    return "\n".join(lines)


def others(board: Board) -> str:
    """What an answer costs beside CatBoost's, and how good probabilities are: means over the tables that both have."""
    tables = groups()
    lines = [*_head("", ">n", *(f">{name}" for name in COSTS.values()), ">calibration", ">AUC", ">accuracy")]
    for who in CONTENDERS:
        shared = [name for name in tables["all"] if board("error", name, who) and board("error", name, BASE)]
        if not shared:
            continue
        costs = [comparing.geometric(board.ratios(shared, who, BASE, figure).values()) for figure in COSTS]
        goods = [
            [mean for name in shared if (mean := board.mean(figure, name, who)) is not None]
            for figure in ("calibration", "auc", "accuracy")
        ]
        means = [f"{np.mean(found):.4f}" if found else "" for found in goods]
        lines.append(_row(who, str(len(shared)), *(f"{cost:.2f} x" for cost in costs), *means))
    fitted = [figures for figures in board.records.values() if "error" in figures]
    alone = sum(figures.get("alone", False) for figures in fitted)
    return "\n".join([*lines, "", f"While nothing else ran on the machine, {alone} of {len(fitted)} fits were timed."])


def lost(board: Board) -> str:
    """The tables on which CatBoost is better, the worst first."""
    ratios = {name: ratio for name, ratio in board.ratios(groups()["all"], OURS, BASE).items() if ratio >= LOSS}
    lines = [*_head("table", ">ratio", "95%", "what it is like")]
    for name in sorted(ratios, key=ratios.__getitem__, reverse=True):
        between = board.interval(name, OURS, ratios[name])
        interval = f"{between[0]:.3f} to {between[1]:.3f}" if between else ""
        lines.append(_row(name, f"{ratios[name]:.3f}", interval, sources.tables()[name].about))
    return "\n".join(lines)


def failed(board: Board) -> str:
    """The fits that gave no figure, and why: no mean has them."""
    wrong = [(*key, figures["failed"]) for key, figures in sorted(board.records.items()) if "failed" in figures]
    if not wrong:
        return "No fit failed."
    lines = [*_head("table", "", "split", "what happened")]
    return "\n".join([*lines, *(_row(table, who, str(split), what) for table, who, split, what in wrong)])


def every(board: Board, figure: str, shown: Callable[[float], str], classes: bool | None = None) -> str:
    """A figure of every table and contender, the mean over the splits that all have. Of errors the lowest is bold."""
    tables = [table for table in sources.tables().values() if classes in (None, table.classes)]
    there = [who for who in CONTENDERS if any(board(figure, table.name, who) for table in tables)]
    lines = [*_head("table", "part", *(f">{who}" for who in there))]
    for table in tables:
        found = {who: values for who in there if (values := board(figure, table.name, who))}
        shared = set.intersection(*map(set, found.values())) if found else set()
        if not shared:
            continue
        means = {who: float(np.mean([values[split] for split in shared])) for who, values in found.items()}
        cells = {who: shown(mean) for who, mean in means.items()}
        best = shown(min(means.values())) if figure == "error" else None
        lines.append(_row(table.name, table.part, *(_bold(cells.get(who, ""), best) for who in there)))
    return "\n".join(lines)


def ingredients(board: Board) -> str:
    """Our errors and CPU time without each ingredient, beside those with it."""
    lines = [*_head("", *(f">{part}, {what}" for part in "AB" for what in ("error", "better", "CPU")))]
    for name in OURS_CHANGED:
        cells: list[str] = []
        for part in "AB":
            ratios, cost = (board.ratios(groups()[part], name, OURS, figure) for figure in ("error", "fit_cpu"))
            if not ratios:
                cells += ["", "", ""]
                continue
            s = comparing.summary(ratios)
            more = f"{100 * (s.mean - 1):+.1f}%"
            cells += [more, f"{s.better} of {s.tables}", f"{comparing.geometric(cost.values()):.2f} x"]
        if any(cells):
            lines.append(_row(name.removeprefix(f"{OURS}, "), *cells))
    return "\n".join(lines)


def groups() -> dict[str, list[str]]:
    """The tables that means are of."""
    counted = [table for table in sources.tables().values() if table.part in ("A", "B")]
    return {
        "all": [table.name for table in counted],
        "values": [table.name for table in counted if not table.classes],
        "classes": [table.name for table in counted if table.classes],
        "A": [table.name for table in counted if table.part == "A"],
        "B": [table.name for table in counted if table.part == "B"],
    }


def write(records: Records) -> None:
    """Write the page's tables."""
    board = Board(records)
    page.put(
        PAGE,
        summary=summary(board),
        rivals=rivals(board),
        with_time=with_time(board),
        others=others(board),
        lost=lost(board),
        failed=failed(board),
        rmse=every(board, "error", "{:.4g}".format, classes=False),
        log_loss=every(board, "error", "{:.4f}".format, classes=True),
        calibration=every(board, "calibration", "{:.3f}".format),
        auc=every(board, "auc", "{:.4f}".format),
        accuracy=every(board, "accuracy", "{:.4f}".format),
        fit=every(board, "fit_cpu", "{:.3g}".format),
        predict=every(board, "predict_cpu", "{:.2g}".format),
        memory=every(board, "megabytes", "{:.0f}".format),
        ingredients=ingredients(Board(records, INGREDIENTS)),
        looks=looks.table(),
    )


def _head(*names: str) -> Iterable[str]:
    """The head of a table; a name that starts with > stands to the right."""
    return _row(*(name.removeprefix(">") for name in names)), _row(
        *("---:" if ">" in name else "---" for name in names)
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _bold(cell: str, best: str | None) -> str:
    return f"**{cell}**" if cell and cell == best else cell
