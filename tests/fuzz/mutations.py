"""How files are attacked: cuts, repeats, flips, and words that parsers stumble over."""

from __future__ import annotations

from random import Random

TOKENS = [
    b"1e999",
    b"-1e999",
    b"NaN",
    b"Infinity",
    b"null",
    b"true",
    b"-0",
    b"1.5",
    b"9" * 400,
    b"9" * 5000,
    b"1e-400",
    b'""',
    b'"\\ud83d"',
    b'"\\u0000"',
    b"[]",
    b"{}",
    b"[" * 3000,
    b'{"a":' * 2000,
    b'"../../etc/passwd"',
    b'"/etc/passwd"',
    b'"file:///etc/passwd"',
    b'"http://127.0.0.1:9/a.png"',
    b"\x00",
    b"\x00" * 64,
    b"\n",
    b"\r\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\xbd",
    b"\xe2\x80\xa8",
    b",",
    b";",
    b"\t",
    b'"',
    b"'",
    b"!!python/object/apply:os.system [id]",
    b"&a [*a, *a]",
    b"<<: *a",
    b"\x1b[2J",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x80\x04\x95",
    b"PK\x03\x04",
]


def mutated(data: bytes, random: Random) -> bytes:
    """The file with a few things done to it."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        place, other = sorted(random.choices(range(len(found) + 1), k=2))
        word = random.choice(TOKENS)
        match random.randrange(6):
            case 0:
                del found[place : min(other, place + random.choice((1, 4, 64, 10_000)))]
            case 1:
                found[place:place] = word
            case 2:
                found[place : place + len(word)] = word
            case 3:
                found[place:place] = found[place : min(other, place + 400)]
            case 4 if found:
                found[place % len(found)] = random.randrange(256)
            case 5 if found:
                found[place % len(found)] ^= 1 << random.randrange(8)
    return bytes(found)
