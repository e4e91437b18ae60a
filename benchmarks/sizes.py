"""How many members the benchmarks of broadcasts reach: `make bench FULL=1` takes a million."""

import sys

FULL = "--full"
SMALL = 10_000
LARGE = 1_000_000 if FULL in sys.argv else 200_000
