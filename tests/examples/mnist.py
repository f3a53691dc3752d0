"""Runs the MNIST example as a user does: what it prints, what it writes, how it ends.

The program to run is the first argument. With XTAPE_MNIST_DIR, a folder of the real MNIST, it is trained on that too.
"""
import csv
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

program = os.path.abspath(sys.argv.pop(1))
sanitized = "SANITIZED" in os.environ
real_mnist = os.environ.get("XTAPE_MNIST_DIR")
small = ["--quick", "--batch-size", 50]  # 2,000 images: 40 steps an epoch


def tensors(file):
    """The tensors of a safetensors file, by name: dtype, shape, bytes."""
    data = file.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    header.pop("__metadata__")
    return {name: (t["dtype"], t["shape"], body[slice(*t["data_offsets"])]) for name, t in header.items()}


class Mnist(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            [program, "--threads", "1", *map(str, arguments)], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, **environment})

    def run_example(self, *arguments, code=0, **environment):
        process = self.start(*arguments, **environment)
        out, err = process.communicate()
        self.assertEqual(process.returncode, code, out + err)
        return out, err

    def refuses(self, message, *arguments):
        _, err = self.run_example(*arguments, code=1)
        self.assertIn(message, err)

    def epochs(self, folder="mnist-results"):
        return list(csv.DictReader((self.folder / folder / "training.csv").read_text().splitlines()))

    def test_metrics_and_picture(self):
        out, _ = self.run_example(*small, "--epochs", 3)
        self.assertIn("drawn by this program", out)
        self.assertNotIn("\r", out)  # no progress bar: this is no terminal
        rows = self.epochs()
        self.assertEqual(list(rows[0]), ["epoch", "train_loss", "test_accuracy", "seconds"])
        self.assertEqual([row["epoch"] for row in rows], ["1", "2", "3"])
        self.assertLess(float(rows[2]["train_loss"]), float(rows[0]["train_loss"]))
        self.assertGreater(float(rows[2]["test_accuracy"]), 0.7)
        self.assertTrue((self.folder / "mnist-results" / "mnist.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n"))

    def test_resumed_runs_end_as_if_never_stopped(self):
        whole, part, rest = (self.folder / name for name in ["whole", "part", "rest"])
        # In the middle of an epoch, at its very end, and in the one after. Dropout, in the cnn, draws random numbers.
        for network, epochs, stops in [("dense", 2, [17, 40, 63]), ("cnn", 1, [5])][: 1 if sanitized else 2]:
            run = [*small, "--network", network, "--epochs", epochs, "--lr-step", 1]
            self.run_example(*run, "--save", whole, "--out", "uninterrupted")
            for steps in stops:
                self.run_example(*run, "--save", part, "--stop-after", steps, code=130)
                self.assertNotEqual(tensors(part), tensors(whole))
                self.run_example("--quick", "--epochs", epochs, "--load", part, "--save", rest)
                self.assertEqual(tensors(rest), tensors(whole))
                for row, other in zip(self.epochs(), self.epochs("uninterrupted"), strict=True):
                    self.assertEqual({**row, "seconds": None}, {**other, "seconds": None})

    def test_an_interrupt_saves(self):
        checkpoint = self.folder / "checkpoint"
        process = self.start(*small, "--epochs", 100000, "--save", checkpoint)
        while not process.stdout.readline().startswith("epoch"):
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertIn(f"go on with --load {checkpoint}", out)
        self.assertIn("network.0.weight", tensors(checkpoint))

    @unittest.skipIf(sanitized, "draws 70,000 digits")
    def test_without_a_network_it_says_that_the_digits_are_not_mnist(self):
        nowhere = "http://127.0.0.1:9"
        process = self.start(XDG_CACHE_HOME=str(self.folder), https_proxy=nowhere, http_proxy=nowhere)
        out = line = process.stdout.readline()
        while line and "images to train on" not in line:
            out += (line := process.stdout.readline())
        process.kill()
        process.communicate()
        self.assertIn("MNIST is not to be had", out)
        self.assertIn("not MNIST: 60000 images", out)

    def test_bad_input(self):
        self.refuses("no such folder", "--data-dir", self.folder / "nowhere")
        self.refuses("lacks train-images-idx3-ubyte[.gz], ", "--data-dir", self.folder)
        (self.folder / "t").write_text("text")
        self.refuses("t: ", "--load", self.folder / "t")
        self.refuses("nowhere", *small, "--save", self.folder / "nowhere" / "file")
        self.refuses("t: ", *small, "--out", self.folder / "t")

    def test_a_damaged_checkpoint_is_refused_and_kept(self):
        file = self.folder / "checkpoint"
        self.run_example(*small, "--epochs", 1, "--save", file)
        good = file.read_bytes()
        self.refuses("--seed 5: contradicts the checkpoint", "--quick", "--load", file, "--seed", 5)
        for bad in [good[:-1], good[:20], good[:-1] + bytes([good[-1] ^ 1])]:
            file.write_bytes(bad)
            self.refuses(str(file), "--load", file, "--save", file)
            self.assertEqual(file.read_bytes(), bad)

    @unittest.skipIf(sanitized, "sanitizers keep released memory")
    @unittest.skipUnless(os.path.exists("/proc/self/statm"), "reads Linux's memory accounting")
    def test_training_does_not_grow(self):
        process = self.start(*small, "--epochs", 12)
        pages = []
        for line in process.stdout:
            if line.startswith("epoch"):
                pages.append(int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]))
        process.communicate()
        self.assertLess(max(pages[1:11]) - pages[0], 256)  # a megabyte, of which the test's own output takes a part

    @unittest.skipUnless(real_mnist, "XTAPE_MNIST_DIR names no folder")
    def test_the_real_mnist(self):
        self.run_example("--data-dir", real_mnist, "--epochs", 2)
        first, second = (float(row["test_accuracy"]) for row in self.epochs())
        self.assertGreater(first, 0.958)
        self.assertGreater(second, 0.965)


unittest.main(verbosity=1)
