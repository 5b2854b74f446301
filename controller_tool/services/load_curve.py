"""Power and temperature over time as a picture (host).

`draw` knows nothing of controllers: curves with names, horizontal limits, marks of what happened.
Watts stand on the left, degrees on the right. matplotlib is loaded when somebody draws.
"""

from __future__ import annotations

import functools
import io
import logging
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from controller_tool.messages import language, t
from controller_tool.services.journal_export import new_file
from protocol.constants import EPOCH_2020_UNIX_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from controller_tool.services.energy_read import Step

WATTS, CELSIUS = "W", "°C"
_SIZE_INCHES = (11, 5.5)
_DPI = 110
_MARK_ROWS = 5
_WATT_COLOURS = (  # of a station and its sixteen ports
    "#1f5fa8", "#2a9d8f", "#e07b00", "#7b4fa3", "#4d7c0f", "#c2507c", "#8a8d91", "#b58900",
    "#17becf", "#8c564b", "#6a7fdb", "#2ca02c", "#ff9896", "#9467bd", "#bcbd22", "#555b6e",
    "#d08c60",
)  # fmt: skip
_CELSIUS_COLOURS = ("#d1495b", "#e07b00", "#a61c3c", "#f2a65a")
# the first of them that is installed writes Chinese
_CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Microsoft YaHei", "SimHei", "SimSun",
    "PingFang SC", "Heiti SC", "Hiragino Sans GB", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """values at times_s, in ``unit``; seconds since 2020, or of any other beginning."""

    name: str
    times_s: Sequence[float]
    values: Sequence[float]
    unit: str = WATTS
    filled: bool = False


@dataclass(frozen=True)
class Limit:
    """A value that means something, such as where a port is cut."""

    name: str
    value: float
    unit: str = WATTS


@dataclass(frozen=True)
class Mark:
    """Something that happened."""

    name: str
    time_s: float


def of_steps(name: str, steps: Iterable[Step], *, filled: bool = False) -> Curve:
    """Mean powers as a curve that is flat in each of them and zero in between."""
    times: list[float] = []
    values: list[float] = []
    for step in steps:
        if times and times[-1] < step.begin_s:
            times += [times[-1], step.begin_s]
            values += [0, 0]
        elif not times:
            times.append(step.begin_s)
            values.append(0)
        times += [step.begin_s, step.end_s]
        values += [step.power_w, step.power_w]
    if times:
        times.append(times[-1])
        values.append(0)
    return Curve(name, times, values, filled=filled)


def draw(
    curves: Sequence[Curve],
    *,
    title: str = "",
    limits: Sequence[Limit] = (),
    marks: Sequence[Mark] = (),
    offset_min: Callable[[int], int] | None = None,
) -> bytes:
    """The picture as a PNG.

    offset_min: minutes that local time is ahead of UTC at a moment since 2020; without it times are
    shown as seconds.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    with fonts():
        figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        power = figure.add_subplot()
        _paint(figure, power, curves, limits, marks, offset_min)
        power.set_title(title, loc="left", fontsize=12)
        made = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name in letters that no font here has
            figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()


def save(path: Path, curves: Sequence[Curve], *, force: bool = False, **how: Any) -> None:
    """Draw into a new file of the owner's alone; how: as in `draw`. Raises OperatorError."""
    png = draw(curves, **how)
    with new_file(path, force) as file:
        file.write(png)


def word(template: str, **fields: object) -> str:
    """As `t`, but English where no font here could write the Chinese."""
    if language() == "zh" and _chinese_font() is None:
        return template.format(**fields) if fields else template
    return t(template, **fields)


def _paint(
    figure: Figure,
    power: Axes,
    curves: Sequence[Curve],
    limits: Sequence[Limit],
    marks: Sequence[Mark],
    offset_min: Callable[[int], int] | None,
) -> None:
    units = {one.unit for one in curves} | {one.unit for one in limits}
    place = _place(offset_min)
    axes = {WATTS: power, CELSIUS: power.twinx() if CELSIUS in units else power}
    colours = {WATTS: iter(_WATT_COLOURS * 3), CELSIUS: iter(_CELSIUS_COLOURS * 3)}
    handles: list[Any] = []
    for curve in curves:
        colour = next(colours[curve.unit])
        times = [place(moment) for moment in curve.times_s]
        style = "-" if curve.unit == WATTS else "--"
        handles += axes[curve.unit].plot(
            times, curve.values, style, color=colour, linewidth=1.6, label=curve.name,
            zorder=3 if curve.filled else 2,
        )  # fmt: skip
        if curve.filled:
            axes[curve.unit].fill_between(times, curve.values, color=colour, alpha=0.15)
    for limit in limits:
        colour = "#1f5fa8" if limit.unit == WATTS else "#a61c3c"
        axes[limit.unit].axhline(limit.value, color=colour, linewidth=0.9, linestyle=(0, (6, 4)))
        side, align = (0.01, "left") if limit.unit == WATTS else (0.99, "right")
        axes[limit.unit].annotate(
            limit.name, (side, limit.value), xycoords=("axes fraction", "data"),
            xytext=(0, 3), textcoords="offset points", ha=align, fontsize=8, color=colour,
        )  # fmt: skip
    _label(power, axes[CELSIUS], units, len(marks))
    _mark(axes[CELSIUS], marks, place)
    _label_times(power, offset_min is not None)
    if handles:
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(len(handles), 5), frameon=False
        )


def _label(power: Axes, warmth: Axes, units: set[str], marks: int) -> None:
    above = 0.1 + 0.04 * min(marks, _MARK_ROWS)
    power.set_ylabel(word("power, W"))
    power.grid(visible=True, color="#dddddd", linewidth=0.6)
    power.set_axisbelow(True)
    power.set_ylim(bottom=0)
    power.margins(x=0.01, y=above)
    if CELSIUS in units:
        warmth.set_ylabel(word("temperature, °C"))
        warmth.margins(y=above)
        warmth.set_ylim(bottom=min(0, warmth.get_ylim()[0]))


def _mark(front: Axes, marks: Sequence[Mark], place: Callable[[float], Any]) -> None:
    """Vertical lines with their names at the top, one under the other."""
    for number, mark in enumerate(sorted(marks, key=lambda mark: mark.time_s)):
        front.axvline(place(mark.time_s), color="#333333", linewidth=1, linestyle=":")
        front.annotate(
            mark.name, (place(mark.time_s), 1), xycoords=("data", "axes fraction"),
            xytext=(4, -12 - 12 * (number % _MARK_ROWS)), textcoords="offset points", fontsize=9,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75},
        )  # fmt: skip


def _label_times(power: Axes, as_clock: bool) -> None:
    if not as_clock:
        power.set_xlabel(word("seconds"))
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    power.xaxis.set_major_locator(locator)
    # by numbers alone: its own formats name months in English
    formats = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S.%f"]
    offsets = ["", "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d %H:%M"]
    power.xaxis.set_major_formatter(
        ConciseDateFormatter(  # type: ignore[no-untyped-call]
            locator, formats=formats, zero_formats=["", *formats[:-1]], offset_formats=offsets
        )
    )
    power.set_xlabel(word("local time"))


def _place(offset_min: Callable[[int], int] | None) -> Callable[[float], Any]:
    """Where a moment stands on the axis of times."""
    if offset_min is None:
        return lambda moment: moment
    epoch = datetime.fromtimestamp(EPOCH_2020_UNIX_S, tz=UTC).replace(tzinfo=None)
    return lambda moment: epoch + timedelta(seconds=moment, minutes=offset_min(int(moment)))


def can_write_chinese() -> bool:
    """Whether a font that is installed here has Chinese."""
    return _chinese_font() is not None


def missing_font(places: bool = False) -> tuple[str, str] | None:
    """What is not written in Chinese for want of a font, and what helps; None where nothing is.

    places: the picture names places, which are Chinese in every language.
    """
    if can_write_chinese() or not (places or language() == "zh"):
        return None
    return (
        t("No font with Chinese is installed here: the picture has English words, and codes in"
          " place of names"),
        t("Install one, such as Noto Sans CJK (Debian: fonts-noto-cjk), and draw it again"),
    )  # fmt: skip


@functools.cache
def _chinese_font() -> str | None:
    from matplotlib import font_manager  # noqa: PLC0415 - slow to import

    there = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in _CHINESE_FONTS if name in there), None)


def fonts() -> Any:
    """A context in which pictures are drawn with letters that write Chinese, where one is."""
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import

    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it says where it keeps its fonts
    chinese = _chinese_font()
    return rc_context({"font.family": ["DejaVu Sans", *([chinese] if chinese else [])]})
