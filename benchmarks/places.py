"""Where benchmarks keep what they make. Imports nothing, so that small processes start fast."""

from pathlib import Path

HERE = Path(__file__).parent
WORK = HERE / "work"
"""Cities, registries and environments made for benchmarks; ignored by git, safe to delete."""
