"""Real updates of Yjs, and what becomes of them on a bad day."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools import client

CORPUS = Path(__file__).parents[1] / "convergence" / "js" / "corpus.mjs"
INFLATED = (
    b"\x7f",
    b"\xff\x01",
    b"\xff\xff\x03",
    b"\xff\xff\xff\xff\x07",
    b"\xff" * 7 + b"\x0f",
    b"\xff" * 9,
)
"""Integers in lib0's encoding that are far too large for a length, a clock or a count; the last has no end."""


def real_updates(seed: int, count: int) -> list[bytes]:
    """Return updates that two people made one after the other with the real Yjs."""
    client.install()
    result = subprocess.run(
        [client.node(), str(CORPUS), str(client.CLIENT), str(seed), str(count)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [base64.b64decode(each) for each in json.loads(result.stdout)["updates"]]


def mutated(corpus: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of the updates after one to four accidents."""
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0:  # a bit flips
                if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
            case 1:  # the end is missing
                del data[at:]
            case 2:  # a piece of another is put in
                other = chance.choice(corpus)
                start = chance.randrange(len(other) + 1)
                data[at:at] = other[start : start + chance.randint(1, 40)]
            case 3:  # a length grows
                data[at : at + 1] = chance.choice(INFLATED)
            case 4:  # a piece is missing
                del data[at : at + chance.randint(1, 8)]
            case 5:  # a piece is there twice
                data[at:at] = data[at : at + chance.randint(1, 30)]
            case _:  # some bytes are others
                data[at : at + 3] = chance.randbytes(3)
    return bytes(data)
