"""Measures how long the compiler takes over a ten-line script, against xtensor's array header alone and libtorch.

g++ -O0, without a cache, the contestants in turns; prints medians and ratios.
"""
import os
import pathlib
import shlex
import statistics
import subprocess
import tempfile
import time

root = pathlib.Path(os.environ.get("XTAPE_ROOT", pathlib.Path(__file__).resolve().parents[2]))
build = os.environ.get("XTAPE_BUILD", str(root / "build"))
torch_include = pathlib.Path("/usr/include/torch/csrc/api/include")

SOURCES = {
    "xtape, ten lines": """#include <autograd/autograd.hpp>
#include <iostream>
using namespace xtape;
int main() {
  Variable x = randn({100, 3}), w = parameter(zeros({3, 1}));
  for (int i = 0; i < 100; ++i) {
    w.zero_grad();
    mean(square(matmul(x, w) - sum(x, 1, true))).backward();
    { NoGrad guard; w -= 0.1 * w.grad(); }
  }
  std::cout << w << std::endl;
}
""",
    "xtensor/xarray.hpp alone": "#include <xtensor/xarray.hpp>\nint main() {}\n",
}
if torch_include.exists():
    SOURCES["torch/torch.h alone"] = "#include <torch/torch.h>\nint main() {}\n"


def flags():
    environment = {**os.environ, "PKG_CONFIG_PATH": f"{build}/meson-uninstalled"}
    return shlex.split(subprocess.check_output(["pkg-config", "--cflags", "xtape"], env=environment, text=True))


def seconds(source):
    command = ["g++", "-std=c++20", "-O0", *flags(), "-isystem", str(torch_include), "-c", str(source), "-o", os.devnull]
    start = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "CCACHE_DISABLE": "1"})
    return time.perf_counter() - start


with tempfile.TemporaryDirectory() as folder:
    times = {}
    for number in range(5):
        for name, text in SOURCES.items():
            if name.startswith("torch") and number >= 2:
                continue
            source = pathlib.Path(folder, "script.cpp")
            source.write_text(text)
            times.setdefault(name, []).append(seconds(source))
    base = statistics.median(times["xtensor/xarray.hpp alone"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:26} {median:6.2f} s  {median / base:5.2f}")
