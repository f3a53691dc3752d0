"""Reads and writes files for the C++ tests, independently of xtape: with Python's standard library, and with NumPy as
well where it is installed. The first argument names a function below; it fails by an exception."""
import ast
import json
import os
import struct
import sys
import warnings
import zipfile

try:
    import numpy
except ImportError:
    numpy = None


def npy(descr, shape, data, fortran=False):
    header = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode("latin1")
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def parse_npy(data):
    assert data[:8] == b"\x93NUMPY\1\0", data[:8]
    (length,) = struct.unpack_from("<H", data, 8)
    assert (10 + length) % 64 == 0
    header = ast.literal_eval(data[10:10 + length].decode("latin1"))
    assert set(header) == {"descr", "fortran_order", "shape"} and header["fortran_order"] is False
    code = {"<f4": "f", "<f8": "d", "<i8": "q", "|b1": "?"}[header["descr"]]
    count = 1
    for extent in header["shape"]:
        count *= extent
    assert len(data) == 10 + length + count * struct.calcsize("=" + code)
    return header["descr"], header["shape"], list(struct.unpack_from(f"<{count}{code}", data, 10 + length))


expected = {
    "weight": ("<f4", (2, 2), [1, 2, 3, -4]),
    "double": ("<f8", (2,), [1e300, 0]),
    "count": ("<i8", (2,), [-7, 1 << 40]),
    "mask": ("|b1", (1, 3), [True, False, True]),
    "scalar": ("<f4", (), [5]),
    "empty": ("<f4", (3, 0), []),
    "a/b.c ü": ("<f4", (1,), [1]),
}


def check_npz(path):
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        got = {info.filename: parse_npy(file.read(info)) for info in file.infolist()}
    assert got == {name + ".npy": value for name, value in expected.items()}, got
    if numpy:
        with numpy.load(path, allow_pickle=False) as arrays:
            assert set(arrays.files) == set(expected)
            for name, (descr, shape, values) in expected.items():
                assert arrays[name].dtype.str == descr and arrays[name].shape == shape
                assert arrays[name].ravel().tolist() == values


def check_zip(path, content):
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert file.namelist() == ["stored", "deflated"]
        for name in file.namelist():
            assert file.read(name) == content.encode()


class Pipe:
    """A file in which nobody can go back."""

    def __init__(self, file):
        self.write, self.flush = file.write, file.flush


def write_npz(folder):
    os.mkdir(folder)
    arrays = {
        "half": npy("<f2", (1, 2), struct.pack("<2e", 1.5, -2)),
        "long": npy(">i4", (3, 2), struct.pack(">6i", 1, 2, 3, 4, 5, 6), fortran=True),
        "byte": npy("|u1", (2,), b"\0\xff"),
        "truth": npy("|b1", (2,), b"\1\0"),
        "double": npy("<f8", (1,), struct.pack("<d", 0.1)),
        "scalar": npy("<f4", (), struct.pack("<f", 3.5)),
    }
    for kind, method in ("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(f"{folder}/{kind}.npz", "w", method) as file:
            for name, data in arrays.items():
                with file.open(name + ".npy", "w", force_zip64=True) as member:
                    member.write(data)
    with open(f"{folder}/stream.npz", "wb") as raw:  # sizes behind the contents, as for a pipe; and a comment
        with zipfile.ZipFile(Pipe(raw), "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in arrays.items():
                file.writestr(name + ".npy", data)
            file.comment = b"a comment"
    if numpy:
        values = {
            "half": numpy.array([[1.5, -2]], numpy.float16),
            "long": numpy.asfortranarray(numpy.array([[1, 4], [2, 5], [3, 6]], ">i4")),
            "byte": numpy.array([0, 255], numpy.uint8),
            "truth": numpy.array([True, False]),
            "double": numpy.array([0.1]),
            "scalar": numpy.array(3.5, numpy.float32),
        }
        numpy.savez(f"{folder}/numpy.npz", **values)
        numpy.savez_compressed(f"{folder}/numpy_compressed.npz", **values)


def write_bad_zips(folder):
    os.mkdir(folder)
    array = npy("<f4", (2,), b"abcdefgh")

    def write(name, members, method=zipfile.ZIP_STORED, change=lambda data: data):
        with zipfile.ZipFile(f"{folder}/{name}.npz", "w", method) as file:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for member, content in members:
                    file.writestr(member, content)
        with open(f"{folder}/{name}.npz", "r+b") as file:
            data = bytearray(file.read())
            data = change(data)
            file.seek(0)
            file.truncate()
            file.write(data)

    def set_in_directory(offset, code, value):
        def change(data):
            struct.pack_into(code, data, data.index(b"PK\1\2") + offset, value)
            return data
        return change

    def shift_size(by):
        def change(data):
            for mark, offset in (b"PK\3\4", 18), (b"PK\1\2", 20):
                at = data.index(mark) + offset + 4
                (size,) = struct.unpack_from("<I", data, at)
                struct.pack_into("<I", data, at, size + by)
            return data
        return change

    def point_both_at_the_first(data):
        second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
        struct.pack_into("<I", data, second + 42, 0)
        return data

    def spoil(data):
        at = data.index(b"abcdefgh")
        data[at] ^= 1
        return data

    write("twice", [("a.npy", array), ("a.npy", array)])
    write("text", [("readme.txt", b"hello")])
    write("encrypted", [("a.npy", array)], change=set_in_directory(8, "<H", 1))
    write("bzip2", [("a.npy", array)], zipfile.ZIP_BZIP2)
    write("overlap", [("a.npy", array), ("b.npy", array)], change=point_both_at_the_first)
    write("crc", [("a.npy", array)], change=spoil)
    write("longer", [("a.npy", array)], zipfile.ZIP_DEFLATED, shift_size(8))
    write("shorter", [("a.npy", array)], zipfile.ZIP_DEFLATED, shift_size(-4))
    write("bomb", [("a.npy", npy("<f4", (16 << 20,), bytes(64 << 20)))], zipfile.ZIP_DEFLATED)


sizes = {"F64": 8, "I64": 8, "F32": 4, "BOOL": 1}


def read_safetensors(path):
    """What the format demands (https://huggingface.co/docs/safetensors), checked one by one."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    assert length <= 100_000_000 and 8 + length <= len(data)
    header, body = data[8:8 + length], data[8 + length:]
    assert (8 + length) % 8 == 0, "the elements need to begin at a multiple of 8"
    assert header[:1] == b"{" and header.rstrip(b" ")[-1:] == b"}", "only spaces may pad the header"

    def unique(pairs):
        assert len({name for name, _ in pairs}) == len(pairs), "a name occurs twice"
        return dict(pairs)

    entries = json.loads(header.decode("utf-8"), object_pairs_hook=unique)
    metadata = entries.pop("__metadata__", {})
    assert all(isinstance(text, str) for text in metadata.values())
    end, tensors = 0, {}
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        assert set(entry) == {"dtype", "shape", "data_offsets"}
        begin, stop = entry["data_offsets"]
        count = 1
        for extent in entry["shape"]:
            assert isinstance(extent, int) and extent >= 0
            count *= extent
        size = sizes[entry["dtype"]]
        assert begin == end, "a hole, or tensors that overlap"
        assert begin % size == 0, "elements that are not aligned"
        assert stop - begin == count * size
        end = stop
        code = {"F64": "d", "I64": "q", "F32": "f", "BOOL": "?"}[entry["dtype"]]
        tensors[name] = entry["dtype"], tuple(entry["shape"]), list(struct.unpack_from(f"<{count}{code}", body, begin))
    assert end == len(body), "bytes behind the tensors"
    return tensors, metadata


def check_safetensors(path):
    names = {"<f4": "F32", "<f8": "F64", "<i8": "I64", "|b1": "BOOL"}
    tensors, metadata = read_safetensors(path)
    wanted = {name: (names[descr], shape, values) for name, (descr, shape, values) in expected.items()}
    assert tensors == wanted, tensors
    assert metadata["epoch"] == "3"


def write_safetensors(path):
    """As the format's own library does, with each of its dtypes that xtape reads."""
    tensors = {
        "f64": ("F64", [1], struct.pack("<d", 0.1)),
        "i64": ("I64", [1], struct.pack("<q", -5)),
        "u64": ("U64", [1], struct.pack("<Q", 5)),
        "f32": ("F32", [1, 2], struct.pack("<2f", 0.5, -3)),
        "i32": ("I32", [2], struct.pack("<2i", 7, -7)),
        "u32": ("U32", [1], struct.pack("<I", 0xffffffff)),
        "bf16": ("BF16", [2], struct.pack("<2H", 0x3fc0, 0xc000)),
        "f16": ("F16", [2], struct.pack("<2e", 1.5, -2)),
        "i16": ("I16", [1], struct.pack("<h", -300)),
        "u16": ("U16", [1], struct.pack("<H", 65535)),
        "bool": ("BOOL", [2], b"\1\0"),
        "i8": ("I8", [2], b"\x01\xff"),
        "u8": ("U8", [], b"\xff"),
        "none": ("F32", [0, 3], b""),
    }
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
