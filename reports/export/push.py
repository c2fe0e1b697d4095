"""Uploads a folder to the Hub: only when a person asks for it, and after showing what would go there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reports.export.hf_eval_results import ExportError

Kind = Literal["model", "dataset"]


@dataclass(frozen=True)
class Upload:
    """One file that would be uploaded: its path in the repository, and its size in bytes."""

    path: str
    size: int


def uploads(folder: Path) -> list[Upload]:
    """The files of a folder that would be uploaded, by path.

    Raises:
        ExportError: no such folder, nothing in it, a link that leads out of it, or a run's own folder, whose
            answers and media are nobody's to publish by accident.
    """
    if not folder.is_dir():
        raise ExportError(f"{folder}: no such folder; make one with `nextgpt-report export`")
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise ExportError(f"{path}: is a link; put the file itself there")
        if path.name in ("run.json", "predictions.jsonl"):
            raise ExportError(f"{path}: belongs to a run; push what `nextgpt-report export` made of it")
        if path.is_file() and ".git" not in path.relative_to(folder).parts:
            found.append(Upload(path.relative_to(folder).as_posix(), path.stat().st_size))
    if not found:
        raise ExportError(f"{folder}: is empty; make something to push with `nextgpt-report export`")
    return found


def push(folder: Path, repository: str, kind: Kind, *, private: bool) -> str:
    """Create the repository where it is not there, and upload the folder's files in one commit.

    The token is the one of ``hf auth login`` or of ``HF_TOKEN``; it is never an argument.

    Returns:
        The address of the commit.

    Raises:
        ExportError: the Hub can't be reached, or refuses; the message says why.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        hub = HfApi()
        hub.create_repo(repository, repo_type=kind, private=private, exist_ok=True)
        made = hub.upload_folder(
            repo_id=repository,
            folder_path=folder,
            repo_type=kind,
            commit_message="Results of nextgpt",
            ignore_patterns=[".git/*"],
        )
    except OfflineModeIsEnabled as error:
        raise ExportError("HF_HUB_OFFLINE is set: unset it to push") from error
    except (HfHubHTTPError, OSError) as error:
        raise ExportError(f"{repository}: {str(error).splitlines()[0]}; is `hf auth login` done?") from error
    return str(made.commit_url)
