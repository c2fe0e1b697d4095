"""Scores of single sounds: against a text (CLAP score), or against the sound they should have become.

All are means over items, so intervals, paired tests and sharding come by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import FloatArray, MeanMetric, MetricInputError, check_lengths, check_name
from metrics.pairs.cepstra import CEPSTRA, mel_cepstra, plain_distortion, warped_distortion
from metrics.pairs.similarity import cosines
from metrics.sets.metrics import Direction, KLDivergence
from metrics.sets.sounds import Classifier

Embeddings = NDArray[np.floating]
Alignment = Literal["dtw", "plain"]


class SoundEmbedder(Protocol):
    """What puts sounds and texts into one space; `metrics.extractors.ClapExtractor` does."""

    @property
    def signature(self) -> str:
        """The network, its weights and its preprocessing."""

    def sounds(self, items: Sequence[Any]) -> Embeddings:
        """One embedding per sound, [N, D]."""

    def texts(self, texts: Sequence[str]) -> Embeddings:
        """One embedding per text, [N, D]."""


def clap_score(sounds: ArrayLike, texts: ArrayLike) -> float:
    """CLAP score: the mean cosine of sounds with their texts; no clamp, no scale (others print times 100).

    Args:
        sounds: embeddings, [N, D]; they need not have unit length.
        texts: the paired texts' embeddings, [N, D].

    Raises:
        MetricInputError: no pairs, different shapes, or an embedding without a direction.

    >>> clap_score([[1.0, 0.0], [1.0, 0.0]], [[2.0, 0.0], [-3.0, 0.0]])
    0.0
    """
    items = cosines(sounds, texts)
    if len(items) == 0:
        raise MetricInputError("clap_score: no pairs to average; give at least one")
    return float(items.mean())


def mel_cepstral_distortion(
    a: ArrayLike, b: ArrayLike, *, rate: int = 16_000, alignment: Alignment = "dtw"
) -> float:
    """The mel-cepstral distortion of two sounds, in decibels.

    The mean over aligned frames of 10 / ln 10 * sqrt(2 * sum of squared differences of the mel cepstra 1 to
    13): about the root mean square difference of the spectra's shape over mel bands; level (cepstrum 0)
    does not count. Numbers of other tools, with other cepstra (SPTK's, for one), are not comparable.

    Args:
        a: one sound's samples, [N] in [-1, 1].
        b: the other's, at the same rate.
        rate: of both, in Hz; both are compared at 16 kHz.
        alignment: `dtw` stretches time so that the total is least, and takes the mean over that path;
            `plain` compares frame by frame, and needs sounds of one length.

    Raises:
        MetricInputError: a sound that is empty or not finite, or lengths that `plain` can't compare.

    >>> wave = np.random.default_rng(0).normal(0, 0.1, 16000)
    >>> mel_cepstral_distortion(wave, wave / 2, alignment="plain") < 1e-4  # louder is not different
    True
    """
    from metrics.extractors.sounds import Sound

    metric = MelCepstralDistortion(alignment=alignment)
    sounds = []
    for name, samples in (("a", a), ("b", b)):
        try:
            sounds.append(Sound(np.asarray(samples), rate))
        except MetricInputError as error:
            raise MetricInputError(f"{name}: {error}") from None
    return float(metric.statistics(sounds[:1], sounds[1:])[0])


class CLAPScore(MeanMetric):
    """CLAP score of sounds with texts; either side may be the prediction.

    >>> class Loudness:  # stands for a network
    ...     signature = "loudness"
    ...
    ...     def sounds(self, items):
    ...         return np.array([[np.abs(item).max(), 0.1] for item in items])
    ...
    ...     def texts(self, texts):
    ...         return np.array([[1.0 if "loud" in text else 0.0, 0.1] for text in texts])
    >>> score = CLAPScore(Loudness())
    >>> round(score.value(score.statistics(["a loud bang"], [np.ones(9)])), 6)
    1.0
    """

    name = "clap_score"
    higher_is_better = True

    def __init__(self, embedder: SoundEmbedder) -> None:
        self.embedder = embedder

    @property
    def signature(self) -> str:
        """For example `clap_score|model:clap:...|prompt:none|clamp:none|scale:1|v:1`."""
        return f"{self.name}|model:{self.embedder.signature}|prompt:none|clamp:none|scale:1|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The cosine of each pair of a sound and a text, [N]."""
        check_lengths(self.name, predictions, references)
        sounds, texts = predictions, references
        if not all(isinstance(text, str) for text in texts):
            sounds, texts = texts, sounds
        if not all(isinstance(text, str) for text in texts):
            raise MetricInputError(f"{self.name}: one side must be texts and the other sounds")
        return cosines(self.embedder.sounds(sounds), self.embedder.texts(texts))


class AudioKL(KLDivergence):
    """Mean KL divergence of a classifier's opinions on paired sounds, its direction in its name.

    Args:
        classifier: what gives sounds probabilities, such as `PannsExtractor(layer="logits")`.
        direction: `reference||prediction` as AudioLDM and AudioCraft report it, or the reverse, as
            stable-audio-metrics does.
        epsilon: added inside the logarithm of the second distribution.

    >>> class Halves:  # stands for a network
    ...     signature = "halves"
    ...
    ...     def probabilities(self, items):
    ...         return np.array([[item, 1 - item] for item in items])
    >>> kl = AudioKL(Halves(), epsilon=0)
    >>> round(kl.value(kl.statistics([0.9], [0.5])), 4), kl.signature
    (0.5108, 'kl_reference_prediction|classes:halves|dist:softmax|eps:0|v:1')
    """

    def __init__(
        self,
        classifier: Classifier,
        direction: Direction = "reference||prediction",
        *,
        epsilon: float = 1e-6,
    ) -> None:
        super().__init__(direction, epsilon=epsilon)
        self.classifier = classifier

    @property
    def signature(self) -> str:
        """For example `kl_reference_prediction|classes:panns-cnn14@...|dist:softmax|eps:1e-06|v:1`."""
        return f"{self.name}|classes:{self.classifier.signature}|dist:softmax|eps:{self.epsilon:g}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The divergence of each pair of sounds, [N]."""
        check_lengths(self.name, predictions, references)
        if not len(predictions):
            return np.zeros(0)
        if any(sound is None for sound in references):
            raise MetricInputError(
                f"{self.name}: compares pairs, and a true sound is not here; fetch them all"
            )
        opinions = self.classifier.probabilities
        return super().statistics(list(opinions(predictions)), list(opinions(references)))


class MelCepstralDistortion(MeanMetric):
    """Mel-cepstral distortion of paired sounds, see `mel_cepstral_distortion`.

    >>> from metrics.extractors import Sound
    >>> sound, mcd = Sound(np.random.default_rng(0).normal(0, 0.1, 8000), 16000), MelCepstralDistortion()
    >>> mcd.value(mcd.statistics([sound], [sound])), mcd.name
    (0.0, 'mcd_dtw')
    """

    higher_is_better = False
    least = 0.0

    def __init__(self, *, alignment: Alignment = "dtw") -> None:
        check_name("alignment", alignment, get_args(Alignment))
        self.alignment, self.name = alignment, f"mcd_{alignment}"

    @property
    def signature(self) -> str:
        """For example `mcd_dtw|16000Hz|window:32ms,hop:8ms|mel:20,0-8000Hz|cepstra:1-13|...|v:1`."""
        from metrics.extractors.sounds import PREPARATION

        return f"{self.name}|{CEPSTRA}|align:{self.alignment}|{PREPARATION}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The distortion of each pair of sounds, [N], in decibels."""
        from metrics.extractors.sounds import waveforms

        check_lengths(self.name, predictions, references)
        items = np.empty(len(predictions))
        for number, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
            try:
                pair = [mel_cepstra(wave) for wave in waveforms((prediction, reference), 16_000)]
            except MetricInputError as error:
                which = str(error).replace("sound 0", "prediction").replace("sound 1", "reference")
                raise MetricInputError(f"{self.name}: pair {number}: {which}") from None
            if self.alignment == "dtw":
                items[number] = warped_distortion(*pair)
            elif len(pair[0]) == len(pair[1]):
                items[number] = plain_distortion(*pair)
            else:
                raise MetricInputError(
                    f"{self.name}: pair {number} has {len(pair[0])} and {len(pair[1])} frames of 8 ms; cut "
                    "both to one length, or align them with dtw"
                )
        return items
