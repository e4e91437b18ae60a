"""Where the data files that travel with the code are: beside the packages, in a checkout and in the wheel."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
