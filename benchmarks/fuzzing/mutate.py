"""Good files with something changed in them: bytes, tokens, values of trees, chunks under a right checksum."""

from __future__ import annotations

import copy
import json
import struct
import tomllib
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import tomli_w

Mutate = Callable[[bytes, Random], bytes]

NUMBERS = [0, 1, 2, 7, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**53 + 1, 2**63 - 1, 2**64 - 1]
COMMON = b"\0 \xef\xbb\xbf \xff\xfe \xed\xa0\x80 \" ' 1e999 -1e999 nan inf NaN Infinity -0 1_0 0x10 \x1b[31m".split(
    b" "
)
COMMON += [b"", b" ", b"\r", b"\n", b"\r\n", b"9" * 5000, b"[" * 5000, b"{" * 5000, b"a." * 5000, b"x" * 10_000]
CSV = (
    b', ; ,, "" "," n/a ? #N/A <NA> NULL true 1,5 2020-02-30 2020-01-01T00:00:00Z 0000-00-00 1e400 1e-400 5% $5'.split()
)
CSV += [b"\t", b'"\n', b"a,b,y\n", b"=cmd()"]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, 10**400, -(10**30), 0.5, -0.5, 1e308, 1e-320, float("nan")),
    *(float("inf"), "", "x", "two\nlines", "\x1b[31m", "\ud800", "x" * 10_000, "../..", "/dev/null", [], [1], [[]]),
    *([None], ["a", 1], [0] * 10_000, {}, {"a": {}}, {"name": "Dense"}, "ReLU", "digits", "accuracy", "regression"),
]
TYPES = ["<f8", ">f8", "<f4", "<f2", "<i8", "|u1", "|b1", "|O", "<U5", "|S3", "<M8[D]", "<c16", "x", "<f16", "f8,i4"]
SHAPES = [
    "(3,)",
    "()",
    "(3, 4, 5)",
    "(0, 4)",
    "(-1, 4)",
    "(10**9, 4)",
    "(9999999999, 4)",
    "(True, 4)",
    "(3.0, 4)",
    "[3]",
]
PYTHON = ["", "1", "'x'", "[('a', '<f8')]", "None", "{", "(" * 300, "__import__('os')"]
CHUNKS = b"tRNS PLTE iCCP eXIf zTXt iTXt tEXt acTL fcTL fdAT IDAT IHDR".split()
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"


def changed_bytes(*tokens: list[bytes]) -> Mutate:
    """Change one to four places: by a byte, a number, a token; leave something out, repeat it, cut the rest off."""
    inserted = [*COMMON, *(token for some in tokens for token in some)]

    def mutate(content: bytes, random: Random) -> bytes:
        for _ in range(random.choice([1, 1, 2, 4])):
            content = _edit(content, random, inserted)
        return content

    return mutate


def _edit(content: bytes, random: Random, tokens: list[bytes]) -> bytes:
    here = random.randrange(len(content) + 1)
    there = min(len(content), here + random.choice([1, 1, 2, 4, 8, 30, len(content) // 3]))
    how = random.randrange(8)
    if how == 0:
        new = bytes([random.choice([0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)])])
        return content[:here] + new + content[here + 1 :]
    if how == 1:
        number, size = random.choice(NUMBERS), random.choice([1, 2, 4, 8])
        new = (number % 256**size).to_bytes(size, random.choice(["little", "big"]))
        return content[:here] + new + content[here + size :]
    if how == 2:
        return content[:here] + content[there:]
    if how == 3:
        return content[:there] + content[here:there] * random.choice([1, 2, 100]) + content[there:]
    if how == 4:
        return content[:here]
    if how == 5:  # lines, or words, in another order
        mark = random.choice([b"\n", b",", b" "])
        parts = content.split(mark)
        random.shuffle(parts)
        return mark.join(parts)
    return content[:here] + random.choice(tokens) + (content[there:] if how == 6 else content[here:])


def changed_tree(tree: Any, random: Random) -> Any:
    """Change one value of nested tables and lists: by another, of any type; or leave it out, repeat it, rename it."""
    tree = copy.deepcopy(tree)
    place: Any = {"": tree}
    key: Any = ""
    inner: Any = tree
    while isinstance(inner, (dict, list)) and inner and (inner is tree or random.random() < 0.9):
        place, key = inner, random.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        inner = place[key]
    how = random.randrange(6)
    if how == 0:
        del place[key]
    elif how == 1 and isinstance(place, dict):
        place[random.choice(["", "x", "name", "task", "a.b", "two\nlines", *place])] = place.pop(key)
    elif how == 1:
        place.append(inner)
    elif how == 2 and isinstance(inner, (int, float)) and not isinstance(inner, bool):
        place[key] = random.choice([-inner, inner * 10, inner + 1, float(inner), str(inner), [inner]])
    elif how == 3:
        place[key] = {"a": inner} if random.random() < 0.5 else [inner]
    else:
        place[key] = copy.deepcopy(random.choice(VALUES))
    return tree


def changed_json(*tokens: list[bytes]) -> Mutate:
    """Change a value of JSON, or its bytes."""
    by_bytes = changed_bytes([b"null", b"true", b"{}", b"[]", b'"":', b",", b":"], *tokens)

    def mutate(content: bytes, random: Random) -> bytes:
        if random.random() < 0.3:
            return by_bytes(content, random)
        tree = json.loads(content)
        for _ in range(random.choice([1, 1, 2])):
            tree = changed_tree(tree, random)
        return json.dumps(tree).encode()

    return mutate


def changed_toml(content: bytes, random: Random) -> bytes:
    """Change a value of TOML, or its bytes."""
    if random.random() < 0.7:
        tree = changed_tree(tomllib.loads(content.decode()), random)
        try:
            return tomli_w.dumps(tree).encode()
        except (TypeError, ValueError, AttributeError):  # TOML has no null
            pass
    return changed_bytes([b"[a]", b"[[a]]", b"[data]", b"=", b"'''", b"1979-05-27", b"{}", b"a.b=1"])(content, random)


def changed_png(content: bytes, random: Random) -> bytes:
    """Change a chunk of a PNG file under a right checksum, or its bytes."""
    if random.random() < 0.3:
        return changed_bytes()(content, random)
    chunks, place = [], 8
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += 12 + size
    i = random.randrange(len(chunks))
    kind, data = chunks[i]
    how = random.randrange(6)
    if how < 2:  # width or height; depth, colours, packing
        i, (kind, head) = 0, chunks[0]
        side = struct.pack(">I", random.choice([0, 1, 2, 255, 8192, 8193, 65535, 2**31 - 1, 2**32 - 1]))
        modes = bytes(random.choice([0, 1, 2, 3, 4, 6, 8, 16, 255]) for _ in range(5))
        data = random.choice([side + head[4:], head[:4] + side + head[8:]]) if how == 0 else head[:8] + modes
    elif how == 2:
        data = changed_bytes()(data, random)
    elif how == 3:
        data = zlib.compress(random.randbytes(random.choice([0, 1, 1000])) + bytes(random.choice([0, 10, 10**6])))
    else:
        kind, data = random.choice(CHUNKS), random.choice([b"", b"x", b"a\0b", EXIF, random.randbytes(30)])
        chunks.insert(i, (kind, data))
    chunks[i] = kind, data
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def changed_npy(content: bytes, random: Random) -> bytes:
    """Change the header of an NPY file, which is a line of Python, under a right length; or its bytes."""
    if random.random() < 0.3:
        return changed_bytes()(content, random)
    end = 10 + int.from_bytes(content[8:10], "little")
    header = content[10:end].decode("latin-1")
    how = random.randrange(4)
    if how == 0:
        header = header.replace("<f8", random.choice(TYPES))
    elif how == 1:
        header = header.replace(header[header.index("(") : header.index(")") + 1], random.choice(SHAPES))
    elif how == 2:
        part = random.choice(["'descr'", "False", "'shape'", "'<f8'", ":", "}"])
        header = header.replace(part, random.choice(PYTHON))
    else:
        tokens = [b"(", b")", b"L", b"'descr': 1,", b"#", b"\\", b"f''"]
        header = changed_bytes(tokens)(header.encode(), random).decode("latin-1")
    text = header.encode("latin-1", "replace")[:65535]
    return content[:8] + struct.pack("<H", len(text)) + text + content[end:]


def repacked(unpack: Callable[[bytes], bytes], pack: Callable[[bytes], bytes], inside: Mutate) -> Mutate:
    """Change what is packed inside, or the packed bytes."""
    outside = changed_bytes()

    def mutate(content: bytes, random: Random) -> bytes:
        return outside(content, random) if random.random() < 0.5 else pack(inside(unpack(content), random))

    return mutate
