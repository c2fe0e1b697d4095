"""Numbers and foreign text, made fit for a table: rounding, intervals, p-values, escaping.

All text reaches a page through `visible` (control characters), what a model says through `said` (and length),
and then through the template engine's own escaping: Jinja's for HTML, `escape_markdown` for Markdown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol, TypeVar

from nextgpt import terminal
from nextgpt.terminal import visible

# Metrics where a smaller number is the better one, and what the numbers of each metric can be.
_DISTANCES = frozenset(
    ("fid", "fid_infinity", "kid", "cmmd", "fad", "fad_infinity", "fd", "kad", "fvd", "fvd_infinity", "jedi")
) | {"mcd_dtw", "mcd_plain", "kl_reference_prediction", "kl_prediction_reference", "fd_dinov2"}
_DISTANCES |= {f"{kind}_{of}" for kind in ("frechet", "kernel") for of in ("efficientnet_lite0", "yamnet")}
_ERRORS = frozenset(("brier_score", "calibration_error"))
LOWER_IS_BETTER = _DISTANCES | _ERRORS | {"choice_unparsed", "pope_unparsed"}
UNBOUNDED = _DISTANCES | {
    "cider", "cider_d", "spider", "clip_score", "inception_score", "audio_inception_score"
}  # fmt: skip

METRIC_WORDS = {
    "avh_score": "AVHScore",
    "brier_score": "Brier score",
    "clair": "CLAIR",
    "fd_dinov2": "FD-DINOv2",
    "fense": "FENSE",
    "imagebind_score": "ImageBind score",
    "javis_score": "JavisScore",
    "jedi": "JEDi",
    "soft_tifa_am": "Soft-TIFA, arithmetic",
    "soft_tifa_gm": "Soft-TIFA, geometric",
    "vqa_score": "VQAScore",
    "attribute_f1": "attribute F1",
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "cider_d": "CIDEr-D",
    "clip_score": "CLIPScore",
    "exact_match": "exact match",
    "fad": "FAD",
    "fid": "FID",
    "fvd": "FVD",
    "kad": "KAD",
    "kid": "KID",
    "meteor": "METEOR",
    "rouge_l": "ROUGE-L",
    "scene_accuracy": "scene accuracy",
    "vqa_accuracy": "VQA accuracy",
}

# From here an answer counts as right: three of ten people gave it, or all of it is right.
_RIGHT_FROM = {"vqa_accuracy": 0.9}

_LONGEST = 600  # characters of one answer that a page shows


class Measured(Protocol):
    """Anything that one metric measures."""

    @property
    def metric(self) -> str:
        """The metric's name."""


M = TypeVar("M", bound=Measured)


class Verbatim(str):
    """Text that is Markdown already; anything else is escaped before it reaches a Markdown page."""

    __slots__ = ()


def metric_words(name: str) -> str:
    """The name of a metric as the field writes it.

    Example:
        >>> metric_words("cider_d"), metric_words("new_metric")
        ('CIDEr-D', 'new metric')
    """
    return METRIC_WORDS.get(name, name.replace("_", " "))


def by_scale(rows: Iterable[M]) -> dict[str, list[M]]:
    """Rows that can share an axis: under ``""`` the metrics from 0 to 1, the others under their names."""
    scales: dict[str, list[M]] = {}
    for row in rows:
        scales.setdefault(row.metric if row.metric in UNBOUNDED else "", []).append(row)
    return scales


def right_from(metric: str) -> float:
    """The value of a metric in [0, 1] from which an answer counts as right, with room for rounding.

    Example:
        >>> 0.9 >= right_from("vqa_accuracy"), 0.9 >= right_from("scene_accuracy")
        (True, False)
    """
    return _RIGHT_FROM.get(metric, 1.0) - 1e-9


def number(value: float | None) -> str:
    """A value with as many digits as anyone can use; a dash where there is none.

    Example:
        >>> number(0.91234), number(12.3456), number(345.678), number(-0.5), number(None)
        ('0.912', '12.35', '345.7', '−0.500', '–')
        >>> number(float("nan"))
        'undefined'
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "undefined"
    size = abs(value)
    text = f"{size:.{3 if size < 10 else 2 if size < 100 else 1}f}"
    return f"−{text}" if value < 0 and float(text) else text


def undefined(method: str) -> str:
    """What stands where a value would, when there is none, from the `method` that says why.

    Example:
        >>> undefined("every sample failed"), undefined("undefined: the value is inf")
        ('undefined: every sample failed', 'undefined: the value is inf')
    """
    return method if method.startswith("undefined") else f"undefined: {method}"


def signed(value: float | None) -> str:
    """A difference: as `number`, with its sign.

    Example:
        >>> signed(0.25), signed(-0.25), signed(0.0)
        ('+0.250', '−0.250', '0.000')
    """
    text = number(value)
    positive = value is not None and 0 < value < math.inf
    return f"+{text}" if positive and text.strip("0.") else text


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval; empty where there is none.

    Example:
        >>> interval(0.1, 0.25), interval(None, None)
        ('0.100 to 0.250', '')
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{number(low)} to {number(high)}"


def p_value(p: float) -> str:
    """A p-value, never shown as nought.

    Example:
        >>> p_value(0.0499), p_value(0.00009), p_value(1.0)
        ('0.050', '< 0.001', '1.000')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_words(p: float) -> str:
    """A p-value for running text, which no line break parts.

    Example:
        >>> p_words(0.0499).replace(chr(0xa0), " "), p_words(0.00009).replace(chr(0xa0), " ")
        ('p = 0.050', 'p < 0.001')
    """
    return f"p {'' if p < 0.001 else '= '}{p_value(p)}".replace(" ", "\N{NO-BREAK SPACE}")


def percent(share: float) -> str:
    """A share in [0, 1] as whole per cent.

    Example:
        >>> percent(0.256)
        '26 %'
    """
    return f"{100 * share:.0f} %"


def said(text: object) -> str:
    r"""What a model or a data set says, made safe to carry in a text file and short enough for a page.

    Control characters, direction marks and lone surrogates are shown as escapes, so that the file stays valid
    UTF-8 and the page reads as it stands. Escaping for HTML or Markdown is not done here.

    Example:
        >>> print(said("a star" + chr(0) + "!"), len(said("x" * 5000)) < 700)
        a star\x00! True
    """
    whole = visible(text)
    if len(whole) <= _LONGEST:
        return whole
    return f"{whole[:_LONGEST]} … ({len(whole) - _LONGEST} more characters)"


def escape_markdown(text: object) -> str:
    r"""What a model or a data set says, as Markdown that renders as just that text, on one line.

    Example:
        >>> print(escape_markdown("a | b `c`" + chr(10) + "<script>"))
        a \| b \`c\` ⏎ \<script>
    """
    return terminal.escape_markdown(said(text))
