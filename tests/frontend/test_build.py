"""The asset build: what it reads decides, what it writes is found, what is missing is said."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from crm.kit import assets as asset_manifest
from crm.kit.assets import AssetsMissingError, asset_file, asset_url

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


@pytest.fixture
def builder(tmp_path: Path) -> ModuleType:
    """The build script, set on a small source folder with a space in its name."""
    spec = importlib.util.spec_from_file_location("builder_under_test", FRONTEND / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path / "a folder"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "src.js").write_text("1")
    vars(module).update(FRONTEND=folder, OUTPUT=tmp_path / "out", INSTALLED=folder / "node_modules" / ".siyu-lock")
    return module


def test_digest_follows_names_and_contents_only(builder: ModuleType) -> None:
    first = builder.inputs_digest()
    (builder.FRONTEND / "node_modules" / "left_out.js").write_text("x")
    assert builder.inputs_digest() == first
    (builder.FRONTEND / "src.js").write_text("2")
    second = builder.inputs_digest()
    (builder.FRONTEND / "src.js").rename(builder.FRONTEND / "other.js")
    assert len({first, second, builder.inputs_digest()}) == 3


def test_nothing_is_built_when_nothing_changed(builder: ModuleType) -> None:
    builder.OUTPUT.mkdir()
    (builder.OUTPUT / "manifest.json").write_text("{}")
    (builder.OUTPUT / builder.STAMP).write_text(builder.inputs_digest())
    assert builder.build() is False


def test_a_failing_tool_is_quoted(builder: ModuleType) -> None:
    (builder.FRONTEND / "broken.js").write_text("throw new Error('the reason')")
    with pytest.raises(builder.BuildError, match="the reason"):
        builder._run_node([str(builder.FRONTEND / "broken.js")], "broken")


def test_lock_names_every_package_by_hash_and_no_address() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "://" not in json.dumps([{**entry, "funding": None} for entry in packages.values()])


def test_assets_are_found_by_their_logical_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifest.json").write_text('{"console.js": "console-1a.js"}')
    monkeypatch.setattr(asset_manifest, "ASSETS_FOLDER", tmp_path)
    assert asset_url("console.js") == "/assets/console-1a.js"
    assert asset_file("console.js") == tmp_path / "console-1a.js"
    with pytest.raises(AssetsMissingError, match=r"'other\.js'.*make assets"):
        asset_url("other.js")


def test_missing_assets_name_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asset_manifest, "ASSETS_FOLDER", tmp_path)
    with pytest.raises(AssetsMissingError, match="make assets"):
        asset_url("console.js")
