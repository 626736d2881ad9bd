"""The benchmark runs; how long anything takes is no test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_benchmark_of_a_few_small_files() -> None:
    program = Path(__file__).with_name("bench_files.py")
    command = [sys.executable, str(program), "--nodes", "200", "--files", "3", "--runs", "1"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("large file: 200 nodes, 0.1 MB; folder: 3 files")
    for name in ("one large file", "all files, --jobs 1", "all files, --jobs 2"):
        assert f"\n  {name} " in ran.stdout


def test_benchmark_beside_graphviz_of_a_small_file() -> None:
    pytest.importorskip("pygraphviz")
    program = Path(__file__).with_name("bench_ratios.py")
    command = [sys.executable, str(program), "--nodes", "200", "--preset", "pp2", "--runs", "1"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    assert "\nlabels.dot " in ran.stdout
    assert "\npp2.dot " in ran.stdout


def test_benchmark_of_a_tiny_configuration() -> None:
    program = Path(__file__).with_name("bench_main.py")
    command = [sys.executable, str(program), "pp2", "--set", "L=2", "--runs", "1"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    assert "pp2 --set L=2: " in ran.stdout
    for name in (
        "gen",
        "read",
        "validate",
        "path",
        "schedule",
        "pydot: read",
        "networkx: read, acyclic",
        "dagtool --help",
    ):
        assert f"\n  {name} " in ran.stdout
    assert ran.stdout.splitlines()[-1].startswith(("All limits kept.", "missed: "))
