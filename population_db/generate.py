"""A synthetic population as an import file: the same bytes for the same seed, on every Python.

People come in kins: a couple, their children, the children's families, and the households they live in, so
parents are older than children, spouses name each other, and members of a household share an address. Each
kin has its own stream of draws (`synthetic.draw`) and is written before the next is made: memory does not grow
with the number of people but for small counters. The odd cases and their rates are in `synthetic.rates`.

Two files of different seeds are different populations and use the same numbers: do not import both.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import orjson

from population_db.synthetic.draw import Draw
from population_db.synthetic.kin import Kin
from population_db.synthetic.numbering import GENERATED, Band, Numbering
from population_db.synthetic.places import Place
from population_db.synthetic.rows import Row, give_numbers, row_of
from population_db.synthetic.settle import settle

Progress = Callable[[int], None]
"""Called with the number of people made so far."""

_REPORT_EVERY = 1_000
_TRIES = 3
"""Kins tried for the last places in a file before they are filled with people living alone."""


def generate(people: int, seed: int, out: BinaryIO, progress: Progress | None = None) -> int:
    """Write `people` rows of JSON Lines; gives how many were written. ValueError for a negative number."""
    if people < 0:
        raise ValueError("the number of people cannot be negative")
    done = 0
    for row in rows(people, seed):
        out.write(orjson.dumps(row) + b"\n")
        done += 1
        if progress is not None and done % _REPORT_EVERY == 0:
            progress(done)
    if progress is not None:
        progress(done)
    return done


def generate_file(people: int, seed: int, out_path: Path, progress: Progress | None = None) -> int:
    """`generate` into a file, which appears whole or not at all. OSError when it cannot be written."""
    unfinished = out_path.with_name(f".{out_path.name}.unfinished")
    try:
        with unfinished.open("wb") as out:
            done = generate(people, seed, out, progress)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(out_path)
    finally:
        unfinished.unlink(missing_ok=True)
    return done


def rows(people: int, seed: int, band: Band = GENERATED, homes: Sequence[Place] = ()) -> Iterator[Row]:
    """Exactly so many rows, kin after kin; homes as in `Kin`."""
    numbering = Numbering(seed, band)
    left, index, tries = people, 0, 0
    while left > 0:
        draw = Draw(seed, f"kin/{index}")
        kin = Kin(draw, f"{seed}-{index}", numbering, homes)
        if tries < _TRIES:
            kin.build()
        else:
            kin.alone()
        index += 1
        recorded, _ = settle(draw, kin.people, kin.households)
        if len(recorded) > left:
            tries += 1
            continue
        for person in recorded:
            give_numbers(draw, person, numbering)
        for person in recorded:
            yield row_of(draw, person, numbering)
        left -= len(recorded)
