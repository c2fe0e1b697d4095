"""nocaps: captions of objects that COCO's do not name.

name: nocaps
data set: ``nocaps_val_4500_captions.json``, COCO's format and a ``domain`` of each image
protocol: one caption for each image, held against its ten; slices in-domain, near-domain and out-domain, the
    whole is "entire". CIDEr-D's document frequencies are those of the whole for a slice too; whether the
    official server recomputes them for a slice is not published, so slices may differ from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.images.coco import caption_records, caption_uses
from benchmarks.tasks.official import DataError, identity, read_json, records
from benchmarks.tasks.published import Files, Protocol, Record, published, slice_by

PROMPT = "Describe the picture in one sentence."
DOMAINS = ("in-domain", "near-domain", "out-domain")


def read(files: Files) -> Iterator[Record | Broken]:
    """The images of the file, each with its domain where the file says it.

    Raises:
        DataError: as `read_captions`; or a domain that there is not.
    """
    path = files.path("captions")
    domains = {}
    for k, row in enumerate(records(read_json(path), "images", path)):
        domain = row.get("domain")
        if domain not in (*DOMAINS, None):
            raise DataError(f"{path}: image {k} is of domain {domain!r:.60}; there are {', '.join(DOMAINS)}.")
        domains[identity(row, "id", f"{path}: image {k}")] = domain
    for record in caption_records(path, PROMPT):
        if isinstance(record, Broken):
            yield record
        else:
            yield replace(record, references={**record.references, "domain": domains[record.id]})


NOCAPS = published(
    card("nocaps"), read, Protocol(prompt=PROMPT, metrics=caption_uses(), slices=slice_by("domain"))
)
