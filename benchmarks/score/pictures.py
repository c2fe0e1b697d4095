"""Scores of generated pictures: a set against another, and each picture against its prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.score.generated import Generated, Scored, absent_names, of_another_network
from benchmarks.score.judges import JUDGE, Shown, judge_pictures
from benchmarks.score.material import PICTURES, files_by_name, read_atoms, read_prompts
from benchmarks.score.networks import networks, picture_features
from benchmarks.score.sets import add_distances, add_inception_score
from benchmarks.tasks.official import DataError

PICTURE_DISTANCES = ("fid", "fid_infinity", "kid", "precision_recall")


def score_pictures(asked: Generated) -> Scored:
    """A set of pictures against another, and each picture against its prompt."""
    from metrics.pairs.similarity import PROMPT, CLIPScore, clip_score_items

    scored = Scored()
    files = files_by_name(asked.predictions, PICTURES, "pictures")
    given = asked.real_set()
    true = {} if given or not asked.references else files_by_name(asked.references, PICTURES, "pictures")
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    absent = absent_names(asked, files, prompts, asked.prompts)
    atoms = read_atoms(asked.atoms) if asked.atoms else {}
    absent = list(dict.fromkeys([*absent, *absent_names(asked, files, atoms, asked.atoms)]))
    judges = [name for name in asked.extractors if name.startswith(JUDGE)]
    if atoms and not judges:
        raise DataError(
            f"{asked.atoms}: atoms are judged; name a judge too, as --extractor judge:nextgpt-tiny."
        )
    for name in judges:
        judge_pictures(name.removeprefix(JUDGE), asked, scored, Shown(files, prompts, atoms, absent))
    asked = replace(asked, extractors=[name for name in asked.extractors if name not in judges])
    for network in networks(asked, scored):
        predictions, rows = picture_features(network, asked, files, absent)
        stacked = np.stack([*predictions.values()])
        usual = (*PICTURE_DISTANCES, "cmmd") if network.embeds else PICTURE_DISTANCES
        # Over some networks a distance goes by a name of its own, and never by FID's.
        names = getattr(network.source, "distances", usual)
        if given is not None and given.width != stacked.shape[1]:
            scored.notes.append(of_another_network(asked, network.name, stacked.shape[1], given.width))
        elif given is not None:
            add_distances(rows, names, stacked, given.truth, network.source, given.content_hash[:8])
        elif true:
            references = np.stack([*network.features(true, asked.references).values()])
            add_distances(rows, names, stacked, references, network.source, _digest(true))
        if hasattr(network.source, "class_probabilities"):
            probabilities = network.source.class_probabilities(stacked)
            add_inception_score(rows, probabilities, network.source)
        if prompts and network.embeds:
            # toyworld's own network learnt captions as they stand.
            prompt = "" if network.name == "toyworld" else PROMPT
            texts = network.source.texts([prompt + prompts[name] for name in predictions])
            signature = CLIPScore(network.source, prompt=prompt).signature
            rows.add_items(signature, clip_score_items([*predictions.values()], texts))
        scored.results += rows.results
    return scored


def score_edits(asked: Generated) -> Scored:
    """Each edited picture against the picture that it should be, and the text that describes that one."""
    from metrics.pairs.similarity import CLIPI, CLIPT, cosines

    scored = Scored()
    files = files_by_name(asked.predictions, PICTURES, "pictures")
    true = files_by_name(asked.references, PICTURES, "pictures") if asked.references else {}
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    absent = absent_names(asked, files, true, asked.references)
    absent = list(dict.fromkeys([*absent, *absent_names(asked, files, prompts, asked.prompts)]))
    for network in networks(asked, scored, embeds=True):
        predictions, rows = picture_features(network, asked, files, absent)
        stacked = [*predictions.values()]
        if true:
            references = network.features(true, asked.references)
            pairs = [references[name] for name in predictions]
            rows.add_items(CLIPI(network.source).signature, cosines(stacked, pairs))
        if prompts:
            texts = network.source.texts([prompts[name] for name in predictions])
            rows.add_items(CLIPT(network.source).signature, cosines(stacked, texts))
        scored.results += rows.results
    return scored


def _digest(files: Mapping[str, Path]) -> str:
    """What tells a set of files from others: a hash of their contents, whatever their names and order."""
    digests = sorted(hashlib.sha256(path.read_bytes()).digest() for path in files.values())
    return hashlib.sha256(b"".join(digests)).hexdigest()[:8]
