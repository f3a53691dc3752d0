"""Data-parallel training by mpirun: the same weights as one process's on the whole batch, and runs that fail.

The arguments are mpirun and the program.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

mpirun, program = sys.argv[1], os.path.abspath(sys.argv[2])
# More processes than cores, and as root, as in containers.
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
               "OMPI_MCA_hwloc_base_binding_policy": "none", "XTAPE_NUM_THREADS": "1"}


def run(kind, ranks, folder=None, **more):
    command = [program, kind] if ranks == 1 else [mpirun, "-n", str(ranks), program, kind]
    # The limit is for what hangs.
    return subprocess.run(command, cwd=folder, env={**ENVIRONMENT, **more}, text=True, capture_output=True, timeout=120)


def numbers(output):
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", output, re.M)}


class Agreement(unittest.TestCase):
    def trained(self, kind, ranks, folder=None):
        done = run(kind, ranks, folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = numbers(done.stdout)
        self.assertGreater(len(found), 5, done.stdout)
        return found

    def close(self, one, several, tolerance):
        self.assertEqual(one.keys(), several.keys())
        scale = max(abs(value) for value in one.values())
        for name, value in one.items():
            if several[name] == value:
                continue
            self.assertLessEqual(abs(several[name] - value), tolerance * max(abs(value), 0.01 * scale), name)

    def agrees(self, kind, tolerance=1e-6):
        one = self.trained(kind, 1)
        for ranks in (2, 4):
            with self.subTest(kind=kind, ranks=ranks):
                self.close(one, self.trained(kind, ranks), tolerance)

    def test_sgd(self):
        self.agrees("sgd")

    def test_a_last_batch_of_one_example(self):
        self.agrees("sgd_tiny_last_batch")

    def test_adam_in_many_buckets(self):
        self.agrees("adam")

    def test_parameters_without_gradients(self):
        self.agrees("two_ways")

    def test_accumulation(self):
        self.agrees("accumulation")

    def test_accumulation_on_top(self):
        self.agrees("accumulation_on_top")

    def test_frozen_for_a_while(self):
        self.agrees("frozen_for_a_while")

    def test_buffers_that_nobody_writes(self):
        self.agrees("constant_buffers", 0)

    def test_a_line_search(self):
        self.agrees("line_search")

    def test_two_networks_in_two_orders(self):
        self.agrees("two_orders")

    def test_clipping(self):
        self.agrees("clipping")

    def test_sums(self):
        self.agrees("sums")

    def test_sync_batch_norm(self):
        self.agrees("sync_batch_norm")

    def test_sync_batch_norm_of_few(self):
        self.agrees("sync_batch_norm_tiny")

    def test_float32(self):
        self.agrees("float32", 2e-3)

    def test_bfloat16(self):
        """Rounding to 8 bits leaves the weights close, and not the same."""
        one, two = self.trained("bfloat16", 1), self.trained("bfloat16", 2)
        self.close(one, two, 0.5)
        self.assertNotEqual(one, two)

    def test_batch_norm_of_the_own_batch(self):
        self.trained("batch_norm", 3)

    def test_dropout(self):
        self.trained("dropout", 3)

    def test_fit_scores_and_predictions(self):
        with tempfile.TemporaryDirectory() as folder:
            one = self.trained("model_fit", 1, folder)
            log = pathlib.Path(folder, "log.csv").read_text()
            for ranks in (2, 4):
                self.close(one, self.trained("model_fit", ranks, folder), 1e-6)
                self.assertEqual(pathlib.Path(folder, "log.csv").read_text().count("\n"), log.count("\n"))

    def test_a_checkpoint_for_other_numbers_of_processes(self):
        one = self.trained_from_scratch()
        for before, after in ((2, 2), (2, 4), (4, 1), (1, 3)):
            with self.subTest(before=before, after=after), tempfile.TemporaryDirectory() as folder:
                stopped = run("resume", before, folder, XTAPE_STOP="1")
                self.assertNotEqual(stopped.returncode, 0)
                self.close(one, self.trained("resume", after, folder), 1e-6)

    def trained_from_scratch(self):
        with tempfile.TemporaryDirectory() as folder:
            return self.trained("resume", 1, folder)

    def test_a_trace_shows_the_overlap(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run("trace", 2, folder).returncode, 0)
            events = json.loads(pathlib.Path(folder, "trace.json").read_text())["traceEvents"]
        sums = [event for event in events if event["cat"] == "communication"]
        self.assertGreaterEqual(len(sums), 4)  # a bucket for each parameter
        walk = [event for event in events if event["cat"] == "backward"]
        self.assertLess(min(event["ts"] for event in sums), max(event["ts"] for event in walk))


class Failures(unittest.TestCase):
    def fails(self, kind, *parts, ranks=3, **more):
        done = run(kind, ranks, **more)
        self.assertNotEqual(done.returncode, 0)
        for part in parts:
            self.assertRegex(done.stderr + done.stdout, part)
        return done

    def test_one_that_throws(self):
        done = self.fails("throws", "rank 1 has had enough", "rank 1 has ended, and rank [02] waits for it in the sum of gradients")
        self.assertEqual(len(re.findall("^xtape: ", done.stderr, re.M)), 1)

    def test_one_that_returns_early(self):
        self.fails("returns", "rank 1 has ended, and rank [02] waits")

    def test_one_that_exits(self):
        self.fails("exits", "rank 1 has ended, and rank [02] waits")

    def test_one_that_ends_without_a_word(self):
        self.fails("vanishes", r"[,#] ?1\]|rank 1")

    def test_one_that_is_killed(self):
        self.fails("killed", "rank 1 .*signal 9")

    def test_one_with_an_exception_that_nobody_catches(self):
        self.fails("uncaught", "rank 1 .*signal 6")

    def test_one_that_hangs(self):
        self.fails("stuck", "rank [02] has waited for others in the sum of gradients for 3 s", XTAPE_MPI_TIMEOUT="3")

    def test_one_that_waits_for_something_else(self):
        self.fails("crossed", "rank 0 has waited for others in the sum of gradients for 4 s .*"
                   "; rank 1 waits in sum of a number; rank 2 waits in the sum of gradients", XTAPE_MPI_TIMEOUT="4")

    def test_a_timeout_of_one_counts_for_all(self):
        """Launchers need not pass variables on to other machines."""
        command = [mpirun, "-n", "1", "env", "XTAPE_MPI_TIMEOUT=4", program, "crossed", ":", "-n", "2", program, "crossed"]
        done = subprocess.run(command, env=ENVIRONMENT, text=True, capture_output=True, timeout=120)
        self.assertRegex(done.stderr, "rank 0 has waited for others in the sum of gradients for 4 s .*"
                         "; rank 1 waits in sum of a number; rank 2 waits in the sum of gradients")

    def test_a_timeout_that_is_no_number(self):
        self.fails("sgd", "XTAPE_MPI_TIMEOUT needs a number of seconds above 0, in all processes", XTAPE_MPI_TIMEOUT="1 s")

    def test_calls_that_differ(self):
        done = self.fails("calls_differ")
        said = ("Communicator: rank 0 calls all_reduce of float32(4,), and rank 1 broadcast of float32(500000,); "
                "needs the same call in all processes, with the same shape and dtype\n")
        self.assertEqual(done.stderr.count(said), 3, done.stderr)

    def test_networks_that_differ(self):
        self.fails("another_shape", r'rank 0 has parameter "0.weight", float64\(8, 5\); rank 1 has parameter "0.weight", '
                   r"float64\(9, 5\)")
        self.fails("another_count", 'rank 0 has nothing more; rank 2 has parameter "2.weight"')

    def test_one_that_comes_late(self):
        """Whoever is done early waits for it."""
        for ranks in (2, 4):
            done = run("late", ranks)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_cannot_be(self):
        self.fails("converted", "now: it was converted or replaced since")
        self.fails("scaled_between", "was changed between no_sync and the walk that adds it up")
        self.fails("recorded_walk", "backward with create_graph")
        self.fails("twice", "is in another one already")


unittest.main(argv=sys.argv[:1])
