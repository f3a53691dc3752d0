"""Runs an example with --quick: what it prints at its end, and the files that it writes.

The arguments are the program and the name of the example.
"""
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

# Of each example: results with the range that they lie in, which a wrong gradient would miss, and its plots and pictures.
EXPECTED = {
    "autoencoder": ({"test_error": (0, 0.062)}, ["learning.svg", "code.svg", "digits.png"]),
    "binary_classification": ({"accuracy": (0.97, 1), "auc": (0.99, 1)}, ["roc.svg", "boundary.svg"]),
    "bundle_adjustment": ({"jacobian_error": (0, 1e-7), "error": (0.42, 0.46), "point_error": (0, 0.006),
        "iterations": (4, 7)}, ["convergence.svg", "scene.svg"]),
    "char_transformer": ({"ngram_sum_of_probabilities": (0.9999, 1.0001), "ngram_bits_per_char": (0.51, 0.53),
        "bits_per_char": (0.3, 0.47)}, ["learning.svg"]),
    "curve_fit": ({"iterations": (5, 11), "largest_deviation": (0, 1.2)}, ["fit.svg", "convergence.svg"]),
    "custom_layer": ({"wrong": (0, 0)}, ["learning.svg"]),
    "dcgan": ({"confident": (0.3, 1), "as_asked": (0.6, 1), "digits": (6, 10)},
        ["learning.svg", "judged.svg", "growth.png"]),
    "distributed": ({"accuracy": (0.5, 1)}, ["scaling.svg"]),
    "dqn": ({"mean_return": (60, 500)}, ["learning.svg", "angle.svg", "game.png"]),
    "gaussian_process": ({"gradient_error": (0, 1e-6), "log_likelihood": (-9.08, -9.07), "coverage": (0.93, 1)},
        ["regression.svg"]),
    "gradient_check": ({"wrong": (1, 1)}, []),
    "knowledge_distillation": ({"alone": (0.75, 0.9), "taught": (0.88, 1)}, ["students.svg"]),
    "maml": ({"loss_after_1": (0, 0.86), "loss_after_10": (0, 0.46), "baseline_after_10": (1.2, 9)},
        ["learning.svg", "task.svg"]),
    "neural_ode": ({"test_error": (0, 0.35), "steps_taken": (40, 80)}, ["plane.svg", "time.svg", "training.svg"]),
    "nn_paint": ({"psnr": (25, 60)}, ["stages.png", "painted.png"]),
    "pinn": ({"relative_error": (0, 0.005)}, ["solution.svg", "cuts.svg"]),
    "trajectory": ({"final_angle_error": (0, 6), "final_speed": (0, 0.1), "most_force": (1, 10)},
        ["motion.svg", "force.svg", "planning.svg"]),
    "vae": ({"test_loss": (100, 190)}, ["learning.svg", "digits.png"]),
    "wgan_gp": ({"hits": (0.4, 1), "clusters": (7, 8)}, ["learning.svg", "points.svg"]),
    "word2vec": ({"loss": (2.5, 2.75), "purity": (0.9, 1)}, ["learning.svg", "map.svg"]),
}


def check(condition, message):
    if not condition:
        raise SystemExit("failed: " + message)


def check_file(file):
    """That a plot or a picture is one, and that the numbers behind a plot stand beside it."""
    check(file.exists() and file.stat().st_size > 500, f"{file.name} is missing or nearly empty")
    if file.suffix == ".png":
        check(file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n", f"{file.name} is no PNG file")
        return
    check(xml.etree.ElementTree.parse(file).getroot().tag.endswith("svg"), f"{file.name} is no SVG file")
    check_file(file.with_suffix(".png"))
    rows = list(csv.reader(file.with_suffix(".csv").open()))
    check(rows[0][:3] == ["series", "x", "y"] and len(rows) > 2, f"{file.name}: no numbers beside it")


program, name = os.path.abspath(sys.argv[1]), sys.argv[2]
results, files = EXPECTED[name]
with tempfile.TemporaryDirectory() as folder:
    run = subprocess.run([program, "--quick"], cwd=folder, text=True, capture_output=True)
    check(run.returncode == 0, f"exit code {run.returncode}:\n{run.stdout}{run.stderr}")
    check("\r" not in run.stdout, "a bar of progress, though this is no terminal")
    printed = {key: float(value) for key, value in re.findall(r"^(\w+): (\S+)$", run.stdout, re.M)}
    for key, (low, high) in results.items():
        check(low <= printed[key] <= high, f"{key}: {printed[key]} is not within [{low}, {high}]")
    for file in files:
        check_file(pathlib.Path(folder) / (name + "-results") / file)
    other = subprocess.run([program, "--no-such-option"], text=True, capture_output=True)
    check(other.returncode != 0 and "--no-such-option" in other.stderr, "an unknown option is accepted")
    usage = subprocess.run([program, "--help"], text=True, capture_output=True)
    check(usage.returncode == 0 and "--seed" in usage.stdout, "--help does not tell of the options")
