"""The arrows of the house, its room names and its manners, read from the source itself.

Each rule is a function from a folder to a list of complaints. It runs on this project, where the
list must be empty, and on a small made-up project that breaks it, where the list must not be.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("metrics", "nextgpt", "baselines", "toyworld", "benchmarks", "reports")

# Who may import whom, and nothing else. A name stands for the module and all that is below it.
# What passes between the packages, and how a person is shown it: every package prints in one way.
SHARED_WORDS = (
    "nextgpt.media",
    "nextgpt.messages",
    "nextgpt.rows",
    "nextgpt.terminal",
    "nextgpt.threads",
    "nextgpt.watching",
)
ARROWS: dict[str, tuple[str, ...]] = {
    "metrics": (),
    "nextgpt": (),
    # The same captioner, planner and painter as the model that they are compared with.
    "baselines": ("nextgpt",),
    # The architectures that it pretrains, and the type of the examples that it gives the trainer.
    "toyworld": (
        *SHARED_WORDS,
        "nextgpt.encoding",
        "nextgpt.reasoning",
        "nextgpt.decoding",
        "nextgpt.signals",
        "nextgpt.training.data",
    ),
    "benchmarks": (*SHARED_WORDS, "metrics", "toyworld"),
    # A run holds answers; the pictures and questions that they answer come from the benchmark, by name.
    "reports": (*SHARED_WORDS, "benchmarks.harness", "benchmarks.registry", "metrics"),
}
EXCEPT = {"baselines": ("nextgpt.training", "nextgpt.cli", "nextgpt.chat")}
EXECUTES = {"eval", "exec", "pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "yaml.load"}
REGISTRY = "benchmarks/registry.py"
TERMINAL = "nextgpt/terminal.py"
PRINTS = re.compile(
    r"print|(.*\.)?(echo|secho|write_line)|.*(console|Console\(.*\))\.print|sys\.std(out|err)\.write"
)
GUARDED = ("table", "cell", "visible", "one_line")
BY_NAME = re.compile(r"(nextgpt|baselines)(\.\w+)*:\w+")

VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "stuff"}
LONGEST = 500
HEAVY = (
    "torch",
    "transformers",
    "diffusers",
    "peft",
    "accelerate",
    "pandas",
    "scipy",
    "matplotlib",
    "pyarrow",
    "torchmetrics",
    "gradio",
    "fastapi",
)

# The rooms that the design names.
ROOMS = {
    "nextgpt": "messages terminal watching signals config fields documents model checkpoints chat cli",
    "nextgpt/media": "image video audio",
    "nextgpt/encoding": "imagebind clip grouping projection",
    "nextgpt/reasoning": "language_model pretrained adapters",
    "nextgpt/decoding": "projection conditions image video audio",
    "nextgpt/training": "losses data stages loop",
    "nextgpt/sizing": "structure parameters memory counting passes rehearsal full_size measuring",
    "nextgpt/weights": "published files places doctor",
    "baselines": "caption_then_tool",
    "toyworld": "scene splits render language questions instructions oracle export",
    "metrics": "metric statistics resampling selftest",
    "metrics/captions": "corpus meteor rouge tokenizer metrics scores",
    "metrics/answers": "accuracy polling videos wups",
    "metrics/sets": "frechet kernels divergences coverage metrics sounds",
    "metrics/pairs": "similarity sounds cepstra",
    "metrics/people": "agreement",
    "metrics/extractors": "clip inception",
    "benchmarks": "test_image_captioning test_vqa test_text_to_image test_editing conftest registry cli",
    "benchmarks/commands": "run kept score",
    "benchmarks/score": "files formats media pictures clips sounds arrays sets material judgements results",
    "benchmarks/tasks/toyworld": "captioning vqa text_to_image editing",
    "benchmarks/tasks/images": "coco pope vqa",
    "benchmarks/cards": "entry images videos sounds generation any_to_any toyworld contamination",
    "benchmarks/data": "check overlap",
    "benchmarks/tasks/videos": "activitynet_qa next_qa single_answers msr_vtt msvd",
    "benchmarks/tasks/sounds": "audiocaps clotho",
    "benchmarks/tasks/generation": "coco_30k msr_vtt ucf_101 audiocaps editing davis",
    "benchmarks/tasks/any_to_any": "unim t2av_compass javisbench structure",
    "benchmarks/harness": "system benchmark records run scoring gate",
    "reports": "comparison attribution tables cli",
    "reports/study": "design sheets ratings server",
    "reports/talk": "conversation page guard votes command",
    "reports/paper": "published links twin best writers latex",
    "reports/export": "every_eval_ever hf_eval_results",
}
DUE = (
    *(f"{folder}/{room}.py" for folder, rooms in ROOMS.items() for room in rooms.split()),
    *(f"{package}/__init__.py" for package in PACKAGES),
    *(f"tests/{package}" for package in PACKAGES),
    "nextgpt/presets/tiny.yaml",
    "nextgpt/presets/7b.yaml",
)


# --- the rules -----------------------------------------------------------------------------------


def sources(root: Path) -> Iterator[Path]:
    """Every Python file of the six packages below root, in order."""
    for package in PACKAGES:
        yield from sorted((root / package).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported anywhere in a module, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            match node.args:
                case [ast.Constant(value=str(name)), *_]:
                    yield node.lineno, name


def under(name: str, module: str) -> bool:
    """Whether a dotted name is the module or lies below it."""
    return name == module or name.startswith(f"{module}.")


def wrong_arrows(root: Path) -> list[str]:
    """Imports that the arrows do not allow."""
    complaints = []
    for path in sources(root):
        place = path.relative_to(root)
        package = place.parts[0]
        for line, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            top = name.split(".")[0]
            if top not in PACKAGES or top == package:
                continue
            allowed = any(under(name, module) for module in ARROWS[package])
            if not allowed or any(under(name, module) for module in EXCEPT.get(package, ())):
                complaints.append(f"{place}:{line} {package} must not import {name}")
    return complaints


def systems_named_outside_the_registry(root: Path) -> list[str]:
    """Strings of benchmarks/ that name a system, "package.module:factory", anywhere but in its registry."""
    return [
        f"{path.relative_to(root)}:{node.lineno} names {node.value!r}; systems are named in {REGISTRY}"
        for path in sorted((root / "benchmarks").rglob("*.py"))
        if path.relative_to(root).as_posix() != REGISTRY
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and BY_NAME.fullmatch(node.value)
    ]


def too_long(root: Path) -> list[str]:
    """Files longer than a person reads in one go."""
    return [
        f"{path.relative_to(root)} has {lines} lines, more than {LONGEST}"
        for path in [*sources(root), *sorted((root / "tests").rglob("*.py"))]
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    ]


def vague_names(root: Path) -> list[str]:
    """Files and folders whose name does not say what is inside."""
    return [
        f"{path.relative_to(root)}: the name says nothing"
        for package in (*PACKAGES, "tests")
        for path in sorted((root / package).rglob("*"))
        if path.stem.removeprefix("test_").removeprefix("_").lower() in VAGUE
    ]


def unsafe_loading(root: Path) -> list[str]:
    """Calls that run whatever a file or a hub says: pickles, remote code, eval."""
    complaints = []
    for path in sources(root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                complaints += [f"{path.relative_to(root)}:{node.lineno} {what}" for what in dangers(node)]
    return complaints


def dangers(call: ast.Call) -> Iterator[str]:
    """What is dangerous in one call."""
    name = ast.unparse(call.func)
    values = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name in {
        "pickle.load",
        "pickle.loads",
        "pickle.Unpickler",
        "eval",
        "exec",
        "yaml.load",
        "joblib.load",
    }:
        yield f"{name} runs what it reads"
    if name == "torch.load" and values.get("weights_only") != "True":
        yield "torch.load without weights_only=True unpickles anything"
    if values.get("trust_remote_code", "False") != "False":
        yield "trust_remote_code runs code from a hub"
    if values.get("allow_pickle", "False") != "False":
        yield "allow_pickle unpickles anything"


def unguarded_prints(root: Path) -> list[str]:
    """Calls that print past `nextgpt.terminal`, which shows what would command a terminal as escapes."""
    complaints = []
    for path in sources(root):
        place = path.relative_to(root)
        # Benchmarks of speed print nothing but their own numbers.
        if place.as_posix() == TERMINAL or place.as_posix().startswith("benchmarks/speed/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and PRINTS.fullmatch(name := ast.unparse(node.func)):
                shown = [re.match(r"\w*", ast.unparse(argument)) for argument in node.args]
                if name in ("print", "echo") or any(word and word[0] not in GUARDED for word in shown):
                    complaints.append(f"{place}:{node.lineno} {name} prints what it is given; use {TERMINAL}")
    return complaints


def missing_rooms(root: Path) -> list[str]:
    """Files and folders of the design that are not there."""
    return [f"{room} is in the design and not in the tree" for room in DUE if not (root / room).exists()]


def heavy_modules(entry: str, arguments: list[str], path: Path) -> list[str]:
    """Heavy packages that a console script "module:function" loads on the way to an answer."""
    module, function = entry.split(":")
    program = f"""
import sys
sys.argv = ["program", *{arguments!r}]
from {module} import {function}
try:
    {function}()
except SystemExit as stop:
    assert not stop.code, stop.code
print("loaded:", *(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


def heavy_imports(module: str, path: Path) -> list[str]:
    """Heavy packages that importing a module loads; a clock would measure the machine instead."""
    program = f"import sys, {module}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=path, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


# --- this project --------------------------------------------------------------------------------

RULES: tuple[Callable[[Path], list[str]], ...] = (
    wrong_arrows,
    systems_named_outside_the_registry,
    too_long,
    vague_names,
    unsafe_loading,
    unguarded_prints,
    missing_rooms,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_project_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert rule(ROOT) == []


SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]


@pytest.mark.parametrize(
    ("script", "arguments"), [*((script, ["--help"]) for script in SCRIPTS), ("nextgpt-bench", ["list"])]
)
def test_help_and_listing_load_nothing_heavy(script: str, arguments: list[str]) -> None:
    assert heavy_modules(SCRIPTS[script], arguments, ROOT) == []


# What somebody else's program imports at its start: their tests load the plugin, their notebooks the frames.
FRONT = (*PACKAGES, "metrics.metric", "benchmarks.pytest_plugin", "benchmarks.plugins", "reports.frames")


@pytest.mark.parametrize("module", FRONT)
def test_import_loads_nothing_heavy(module: str) -> None:
    assert heavy_imports(module, ROOT) == []


# --- made-up projects that break one rule each ---------------------------------------------------


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("nextgpt/model.py", "import toyworld"),
        ("nextgpt/model.py", "def f():\n    from toyworld.render import render"),
        ("metrics/captions/scores.py", "from nextgpt.media import Image"),
        ("metrics/captions/scores.py", "if TYPE_CHECKING:\n    from nextgpt import Image"),
        ("benchmarks/cli.py", "from nextgpt.model import NextGPT"),
        ("benchmarks/cli.py", "import importlib\nimportlib.import_module('baselines.caption_then_tool')"),
        ("benchmarks/registry.py", "import reports"),
        ("baselines/blind.py", "from nextgpt.training.loop import fit"),
        ("baselines/blind.py", "from metrics import cider"),
        ("toyworld/oracle.py", "from nextgpt.model import NextGPT"),
        ("toyworld/training.py", "from nextgpt.training.loop import fit"),
        ("reports/comparison.py", "from toyworld.oracle import read"),
        ("reports/gallery.py", "from benchmarks.tasks.images.coco import samples"),
        ("reports/comparison.py", "import nextgpt"),
    ],
)
def test_arrow_that_points_the_wrong_way_is_seen(tmp_path: Path, place: str, line: str) -> None:
    (complaint,) = wrong_arrows(write(tmp_path, {place: line}))
    assert complaint.startswith(place)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("toyworld/render.py", "from nextgpt.media import Image"),
        ("toyworld/pretrain.py", "def f():\n    import nextgpt.encoding.imagebind"),
        (
            "benchmarks/tasks/images/coco.py",
            "from nextgpt.messages import user\nfrom toyworld import scene\nimport metrics",
        ),
        (
            "reports/tables.py",
            "from benchmarks.harness.records import read_run\nfrom metrics.statistics import holm",
        ),
        ("metrics/captions/scores.py", "import nextgptlike, torch"),
    ],
)
def test_arrow_that_points_the_right_way_is_let_through(tmp_path: Path, place: str, line: str) -> None:
    assert wrong_arrows(write(tmp_path, {place: line})) == []


def test_system_named_outside_the_registry_is_seen(tmp_path: Path) -> None:
    files = {"benchmarks/cli.py": 'S = "baselines.caption_then_tool:make"', REGISTRY: 'S = "nextgpt:load"'}
    (complaint,) = systems_named_outside_the_registry(write(tmp_path, files))
    assert complaint.startswith("benchmarks/cli.py:1")


def test_long_file_is_seen(tmp_path: Path) -> None:
    files = {
        "metrics/a.py": "x = 1\n" * 500,
        "metrics/b.py": "x = 1\n" * 501,
        "tests/test_a.py": "x = 1\n" * 501,
    }
    assert [line.split()[0] for line in too_long(write(tmp_path, files))] == [
        "metrics/b.py",
        "tests/test_a.py",
    ]


def test_vague_name_is_seen(tmp_path: Path) -> None:
    files = {
        "metrics/utils.py": "",
        "nextgpt/common/x.py": "",
        "tests/test_helpers.py": "",
        "metrics/captions/scores.py": "",
    }
    assert len(vague_names(write(tmp_path, files))) == 3


@pytest.mark.parametrize(
    "line",
    [
        "pickle.load(file)",
        "eval(line)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
    ],
)
def test_unsafe_loading_is_seen(tmp_path: Path, line: str) -> None:
    assert len(unsafe_loading(write(tmp_path, {"nextgpt/checkpoints.py": line}))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "print(answer)",
        "typer.echo(answer, err=True)",
        "sys.stderr.write(answer)",
        "Console(width=9).print(answer)",
        "progress.console.print(f'{answer}', markup=False)",
        "reporter.write_line(answer)",
    ],
)
def test_print_past_the_terminal_is_seen(tmp_path: Path, line: str) -> None:
    assert len(unguarded_prints(write(tmp_path, {"reports/cli.py": line}))) == 1


def test_guarded_print_is_let_through(tmp_path: Path) -> None:
    lines = "say(answer)\nconsole.print(table)\nconsole.print(cell(answer))\nr.write_line(visible(answer))\n"
    assert unguarded_prints(write(tmp_path, {"reports/cli.py": lines, TERMINAL: "print(text)"})) == []


def test_safe_loading_is_let_through(tmp_path: Path) -> None:
    lines = "torch.load(path, weights_only=True)\nmodel.eval()\nyaml.safe_load(text)\nnp.load(path)\n"
    assert unsafe_loading(write(tmp_path, {"nextgpt/checkpoints.py": lines})) == []


def test_missing_room_is_seen(tmp_path: Path) -> None:
    assert len(missing_rooms(tmp_path)) == len(DUE)


def test_heavy_import_on_the_way_to_help_is_seen(tmp_path: Path) -> None:
    files = {
        "greedy.py": "import scipy\ndef main():\n    raise SystemExit(0)",
        "modest.py": "def main(): print('hi')",
    }
    write(tmp_path, files)
    assert heavy_modules("greedy:main", ["--help"], tmp_path) == ["scipy"]
    assert heavy_modules("modest:main", ["--help"], tmp_path) == []


def test_heavy_import_of_a_package_is_seen(tmp_path: Path) -> None:
    write(tmp_path, {"greedy.py": "from scipy import special", "modest.py": "import json"})
    assert heavy_imports("greedy", tmp_path) == ["scipy"]
    assert heavy_imports("modest", tmp_path) == []
