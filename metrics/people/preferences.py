"""Preferences of people for one of two systems: win rates, and Bradley-Terry's strengths from them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import Estimate, FloatArray, Groups, MetricInputError
from metrics.people.crossed import METHOD, Crossing, spread
from metrics.resampling import clusters, percentile_interval
from metrics.statistics import ALONE, bootstrap

PRIOR = 0.1  # judgements
Judgement = tuple[str, str, float]
"""Two systems and how the first fared against the second: 1 won, 0.5 tied, 0 lost."""


def win_rate(
    outcomes: ArrayLike, groups: Groups | None = None, *, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """How often the first of two systems is preferred, ties counting half, with its 95 % interval.

    Args:
        outcomes: 1 for a win, 0.5 for a tie, 0 for a loss, [N].
        groups: who or what the judgements belong to (the rater, or the item).
        resamples: number of bootstrap draws.
        seed: of the draws.

    Raises:
        MetricInputError: no outcomes, or one that is none of the three.

    >>> win_rate([1, 1, 0.5, 0]).value
    0.625
    """
    values = np.asarray(outcomes, dtype=np.float64).ravel()
    if not np.isin(values, (0.0, 0.5, 1.0)).all():
        wrong = int(np.argmin(np.isin(values, (0.0, 0.5, 1.0))))
        raise MetricInputError(
            f"outcome {wrong} is {values[wrong]}; give 1 for a win, 0.5 for a tie, 0 for a loss"
        )
    return bootstrap(values, groups, resamples=resamples, seed=seed)


def bradley_terry(
    judgements: Sequence[Judgement],
    groups: Groups | None = None,
    *,
    prior: float = PRIOR,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Strengths of systems from pairwise judgements, with 95 % intervals.

    The Bradley-Terry model, ties counting half, on Elo's scale: base 10, 400 points for odds of ten to one,
    mean 1,000. The order of judgements does not matter.

    The strengths are those of greatest likelihood once `prior` judgements, shared as ties among all pairs of
    systems, are added to what was judged. A tenth of a judgement hardly moves anyone, and keeps finite a
    system that always won or always lost. Without a prior this is plain maximum likelihood, which exists only
    where no system or group of systems won, or lost, everything against the rest (Ford 1957); where it does
    not, it is refused, and resamples in which it does not are left out of the interval and counted in its
    method.

    Args:
        judgements: two systems and the outcome for the first (1, 0.5 or 0), N of them.
        groups: who made each judgement; the bootstrap draws whole groups.
        prior: judgements that are added as ties, all pairs together; 0 for none.
        resamples: number of bootstrap draws.
        seed: of the draws.

    Returns:
        An estimate per system, the strongest first.

    Raises:
        MetricInputError: no judgements, an outcome that is none of the three, a system against itself,
            systems that no chain of judgements connects, a negative prior, or none where the maximum of the
            likelihood lies at infinity.

    >>> votes = [("a", "b", 1)] * 30 + [("a", "b", 0)] * 10
    >>> [(name, round(estimate.value)) for name, estimate in bradley_terry(votes, resamples=50).items()]
    [('a', 1095), ('b', 905)]
    """
    if not 0 <= prior < np.inf:
        raise MetricInputError(f"a prior of {prior} judgements; give 0 for none, or a small number, as 0.1")
    names = sorted({name for first, second, _ in judgements for name in (first, second)})
    place = {name: number for number, name in enumerate(names)}
    left = np.array([place[first] for first, _, _ in judgements], dtype=np.intp)
    right = np.array([place[second] for _, second, _ in judgements], dtype=np.intp)
    outcome = np.array([float(result) for _, _, result in judgements])
    index, count = clusters(groups, len(judgements))
    _check_judgements(left, right, outcome, names)

    def strengths(weights: FloatArray) -> FloatArray | None:
        wins = np.zeros((len(names), len(names)))
        np.add.at(wins, (left, right), weights * outcome)
        np.add.at(wins, (right, left), weights * (1 - outcome))
        wins += prior / 2 / (len(names) * (len(names) - 1) // 2) * (1 - np.eye(len(names)))
        return _elo(wins) if _has_maximum(wins) else None

    values = strengths(np.ones(len(judgements)))
    if values is None:
        raise MetricInputError(
            "without a prior the likelihood has no maximum: a system, or several together, won or lost "
            "everything against the rest; give a prior, or more judgements"
        )
    rng = np.random.default_rng(seed)
    drawn = [
        strengths(np.bincount(rng.integers(0, count, count), minlength=count)[index].astype(np.float64))
        for _ in range(resamples if count > 1 else 0)
    ]
    replicates = [replicate for replicate in drawn if replicate is not None]
    method = f"bootstrap {len(replicates)}" + ("" if groups is None else ", clustered")
    if len(replicates) < len(drawn):
        method += f"; {len(drawn) - len(replicates)} more have no maximum of the likelihood, left out"
    estimates = {}
    for number in np.argsort(-values):
        low, high, error = -np.inf, np.inf, np.inf
        if len(replicates) > 1:
            mine = np.stack(replicates)[:, number]
            (low, high), error = percentile_interval(mine, count), float(mine.std(ddof=1))
        estimates[names[number]] = Estimate(
            float(values[number]), low, high, len(judgements), method if count > 1 else ALONE, error
        )
    return estimates


def crossed_strengths(
    judgements: Sequence[Judgement],
    raters: Sequence[Hashable],
    items: Sequence[Hashable],
    *,
    prior: float = PRIOR,
) -> dict[str, Estimate]:
    """The strengths of `bradley_terry`, with 95 % intervals clustered by rater and item.

    The intervals are those of the sandwich: what each judgement moves a strength by is summed over raters and
    over items, as for a mean (`metrics.people.crossed`).

    Args:
        judgements: two systems and the outcome for the first (1, 0.5 or 0), N of them.
        raters: who made each, [N].
        items: what each is about, [N].
        prior: as in `bradley_terry`.

    Returns:
        An estimate per system, the strongest first.

    Raises:
        MetricInputError: as `bradley_terry`; fewer than two raters or items.

    >>> votes = [("a", "b", 1), ("a", "b", 0), ("a", "b", 1), ("a", "b", 1)]
    >>> list(crossed_strengths(votes, ["r", "r", "s", "s"], ["i", "j", "i", "j"]))
    ['a', 'b']
    """
    values = bradley_terry(judgements, prior=prior, resamples=0)
    names = sorted(values)
    strength = np.array([values[name].value for name in names]) * np.log(10) / 400
    place = {name: number for number, name in enumerate(names)}
    left = np.array([place[first] for first, _, _ in judgements], dtype=np.intp)
    right = np.array([place[second] for _, second, _ in judgements], dtype=np.intp)
    outcome = np.array([float(result) for _, _, result in judgements])
    chance = 1 / (1 + np.exp(strength[right] - strength[left]))
    games = np.zeros((len(names), len(names)))
    np.add.at(games, (left, right), chance * (1 - chance))
    information = -(games + games.T)
    np.fill_diagonal(information, -information.sum(axis=1))
    # Strengths are told up to a constant: the pseudoinverse fixes their mean, as the estimate does.
    inverse = np.linalg.pinv(information)
    share = (outcome - chance)[:, None] * (inverse[left] - inverse[right]) * 400 / np.log(10)
    share -= share.mean(axis=0)
    crossing = Crossing.of(raters, items)
    spreads = [spread(column, crossing) for column in share.T]
    found = {}
    for name, value in values.items():
        mine = spreads[place[name]]
        ends = value.value - mine.half, value.value + mine.half
        found[name] = Estimate(value.value, *ends, len(judgements), METHOD, mine.standard_error)
    return found


def _has_maximum(wins: FloatArray) -> bool:
    """Whether every system reaches every other by a chain of wins (a tie is half a win for both)."""
    reached = (wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(len(wins).bit_length()):  # each step doubles the length of the chains
        reached = reached @ reached
    return bool(reached.all())


def _check_judgements(
    left: NDArray[np.intp], right: NDArray[np.intp], outcome: FloatArray, names: Sequence[str]
) -> None:
    wrong = (left == right) | ~np.isin(outcome, (0.0, 0.5, 1.0))
    if wrong.any():
        number = int(np.argmax(wrong))
        raise MetricInputError(
            f"judgement {number}: {names[left[number]]} against {names[right[number]]}, outcome "
            f"{outcome[number]}; give two different systems and 1, 0.5 or 0"
        )
    reached, size = {0}, 0
    while len(reached) != size:
        size = len(reached)
        for a, b in set(zip(left.tolist(), right.tolist(), strict=True)):
            if a in reached or b in reached:
                reached |= {a, b}
    if size < len(names):
        apart = next(name for number, name in enumerate(names) if number not in reached)
        raise MetricInputError(
            f"no chain of judgements connects {names[0]} and {apart}; compare them, or rank apart"
        )


def _elo(wins: FloatArray) -> FloatArray:
    """Bradley-Terry strengths on Elo's scale from the matrix of (weighted) wins, by Newton's method."""
    games, won, count = wins + wins.T, wins.sum(axis=1), len(wins)
    strength = np.zeros(count)
    for _ in range(100):
        chance = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
        gradient = won - (games * chance).sum(axis=1)
        information = -games * chance * (1 - chance)
        np.fill_diagonal(information, 0)
        np.fill_diagonal(information, -information.sum(axis=1))
        # Only differences are determined: the added constant fixes the mean at 0.
        step = np.linalg.solve(information + 1 / count, gradient)
        strength += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-12:
            break
    return np.asarray(1000 + 400 / np.log(10) * (strength - strength.mean()))
