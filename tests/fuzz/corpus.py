#!/usr/bin/env python3
"""The fuzzers' inputs: one file for each target, in which each line is an input, its bytes in hexadecimal digits.

corpus.py unpack FILE FOLDER   writes each line to a file of its own, as libFuzzer reads them
corpus.py pack FOLDER FILE     the way back, in the order of their lengths
"""
import hashlib
import pathlib
import sys


def unpack(file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for line in file.read_text().split():
        content = bytes.fromhex(line.removeprefix("-"))
        (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def pack(folder, file):
    inputs = {path.read_bytes() for path in folder.iterdir()}
    lines = [content.hex() or "-" for content in sorted(inputs, key=lambda content: (len(content), content))]
    file.write_text("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    command, source, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    {"unpack": unpack, "pack": pack}[command](source, target)
