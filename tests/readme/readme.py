"""Does what the README says: compiles and runs its programs, builds with its recipes, runs scripts as it shows.

Arguments: the source folder, the build folder.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

source, build = (pathlib.Path(sys.argv.pop(1)).resolve() for _ in range(2))
readme = (source / "README.md").read_text()


def blocks(language):
    """The README's blocks in a language, each with the text block that follows at once, or None."""
    pattern = rf"^```{re.escape(language)}\n(.*?)^```\n(?:```text\n(.*?)^```\n)?"
    return re.findall(pattern, readme, re.DOTALL | re.MULTILINE)


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "a folder"
        self.folder.mkdir()
        self.environment = {**os.environ, "PKG_CONFIG_PATH": f"{build}/meson-uninstalled", "XTAPE_BUILD_DIR": str(build)}
        self.environment.pop("DESTDIR", None)

    def run_command(self, *command, code=0):
        done = subprocess.run([str(c) for c in command], cwd=self.folder, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name


class Programs(Folder):
    def test_every_program_prints_what_the_readme_says(self):
        programs = blocks("cpp")
        self.assertGreaterEqual(len(programs), 4)
        for number, (program, expected) in enumerate(programs):
            out, _ = self.run_command(source / "examples/run", self.write(f"program{number}.cpp", program))
            if expected:
                self.assertEqual(out, expected)

    def test_files_and_folders_that_it_names_exist(self):
        for path in re.findall(r"`((?:autograd|tests|examples|nn|optim)/[\w./]*)`", readme):
            self.assertTrue((source / path).exists(), path)


class NewOperation(Folder):
    """The README's way to add an operation, on a copy of what it touches."""

    def insert(self, path, code):
        """Puts a block behind the last entry of its kind."""
        text = (source / path).read_text()
        before = '      unary("erfinv"' if path.startswith("tests") else "}  // namespace xtape\n"
        if path.endswith("transcendental.hpp") or path.endswith("number.hpp"):
            before = "}  // namespace xtape::fused"
        elif "targets" in path:
            before = "}  // namespace xtape::kernels"
        self.assertIn(before, text)
        at = text.rindex(before)
        copy = self.folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text[:at] + code + "\n" + text[at:])

    def test_an_entry_a_declaration_and_samples_are_all(self):
        parts = dict(re.match(r"// (\S+)\n(.*)", text, re.DOTALL).groups() for text, _ in blocks("c++"))
        self.assertEqual(sorted(path.split("/")[-1] for path in parts),
                         ["elementwise.hpp", "fused_functions.cpp", "number.hpp", "samples.cpp", "transcendental.cpp",
                          "transcendental.cpp", "transcendental.hpp"])
        for path, code in parts.items():
            self.insert(path, code)
        for path in [*source.glob("autograd/**/*.hpp"), *source.glob("tests/**/*.hpp")]:
            copy = self.folder / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists():
                shutil.copy(path, copy)
        # What was changed stands before the library and the samples that the build made; the tests themselves are the
        # build's. That the sample is listed is one of them. The rules are compiled for one target, of the flags given.
        flags, _ = self.run_command("pkg-config", "--cflags", "--libs", "xtape")
        self.environment["XTAPE_SOURCE_DIR"] = str(self.folder)
        self.run_command(os.environ.get("CXX", "c++"), "-std=c++20", "-O0", "-I.", "-DXTAPE_TARGET=any",
                         "autograd/ops/transcendental.cpp", "autograd/fused/targets/transcendental.cpp",
                         "tests/autograd/samples.cpp", build / "tests/libsuites.a.p/autograd_derivatives.cpp.o",
                         build / "tests/libtest_support.a", build / "tests/libsamples.a", "-o", "program",
                         *flags.split(), f"-Wl,-rpath,{build}", "-lboost_unit_test_framework")
        self.run_command("./program")


class Scripts(Folder):
    script = '#include <autograd/autograd.hpp>\n#include <iostream>\nint main(int n, char** a) {\n' \
             '  std::cout << xtape::Variable(n * 2.0).item() << (n > 1 ? a[1] : "") << std::endl;\n}\n'

    def test_a_script_is_compiled_when_it_changed(self):
        file = self.write("my script.cpp", self.script)
        self.assertEqual(self.run_command(source / "examples/run", file, "x y")[0], "4x y\n")
        program = next(build.glob("scripts/*/my script"))
        made = program.stat().st_mtime_ns
        self.assertEqual(self.run_command(source / "examples/run", file), ("2\n", ""))
        self.assertEqual(program.stat().st_mtime_ns, made)
        file.write_text(self.script.replace("2.0", "3.0"))
        self.assertEqual(self.run_command(source / "examples/run", file)[0], "3\n")
        shutil.rmtree(program.parent)

    def test_errors_point_at_the_line(self):
        file = self.write("wrong.cpp", self.script.replace("Variable(n * 2.0)", "Varable(n * 2.0)"))
        _, err = self.run_command(source / "examples/run", file, code=1)
        self.assertIn(f"{file}:4:", err)

    def test_a_mistake_in_a_fused_function_takes_one_screen(self):
        names = [f"a{i}" for i in range(17)]
        flags = self.run_command("pkg-config", "--cflags", "xtape")[0].split()
        for mistake in ("a0 + tanhh(a1)", 'a0 * "2"', "a0 > a1 ? a0 : a1", "sin(a0, a1)", "std::vector{a0}"):
            self.write("main.cpp", "#include <autograd/autograd.hpp>\n#include <autograd/fuse.hpp>\nint main() {\n"
                       "  xtape::Variable x = xtape::ones({3});\n"
                       f"  fuse([](auto {', auto '.join(names)}) {{\n    auto s = a0;\n"
                       f"    for (auto a : {{{', '.join(names)}}}) s = s * 0.5 + a;\n    return {mistake};\n  }},\n"
                       f"  {', '.join('x' * 17)});\n}}\n")
            _, err = self.run_command("c++", "-std=c++20", "-fsyntax-only", *flags, "main.cpp", code=1)
            self.assertLess(len(err.splitlines()), 80, err)
            self.assertRegex(err, r"main.cpp:8:\d+: error|returns a number, or a std::tuple")

    def test_a_new_script_learns(self):
        self.run_command(source / "examples/run", "--new", "mine")
        out, _ = self.run_command(source / "examples/run", "mine.cpp")
        self.assertLess(float(re.search("step 500: loss (.*)", out)[1]), 0.02)
        before = (self.folder / "mine.cpp").read_text()
        self.assertIn("there is a file", self.run_command(source / "examples/run", "--new", "mine", code=1)[1])
        self.assertEqual((self.folder / "mine.cpp").read_text(), before)

    def test_sources_and_libraries_that_the_first_comment_names(self):
        self.write("other_file.cpp", "int other() { return 42; }\n")
        file = self.write("two.cpp", "// Two files.\n// sources: other_file.cpp\n// libraries: zlib m\n#include <zlib.h>\n"
                          "#include <cstdio>\nint other();\nint main() { std::printf(\"%d %d\", other(), zlibVersion()[0] > '0'); }\n")
        self.assertEqual(self.run_command(source / "examples/run", file)[0], "42 1")
        (self.folder / "other_file.cpp").unlink()
        self.assertIn("no source other_file.cpp", self.run_command(source / "examples/run", file, code=1)[1])

    def test_unknown_names(self):
        self.assertIn("there is no example nothing", self.run_command(source / "examples/run", "nothing", code=1)[1])
        self.assertIn("there is no file", self.run_command(source / "examples/run", "nothing.cpp", code=1)[1])

    def test_the_list_names_every_example(self):
        out, _ = self.run_command(source / "examples/run")
        for main in source.glob("examples/*/main.cpp"):
            self.assertRegex(out, rf"(?m)^  {main.parent.name} +\w")


class Recipes(Folder):
    """A program against the installed library, and with xtape as a subproject."""

    def setUp(self):
        super().setUp()
        self.write("main.cpp", blocks("cpp")[0][0])
        self.expected = blocks("cpp")[0][1]
        self.write("my_test.cpp", next(text for text, _ in blocks("cpp") if "boost/test" in text))

    def recipe(self, language):
        """A project, and a test in it, whose recipe stands before it."""
        test, project = (text for text, _ in blocks(language))
        return project + test

    def install(self):
        """Installs into the folder, which needs no rights, and has pkg-config find it there."""
        root = self.folder.parent / "root"
        self.run_command("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
        description = next(root.glob("**/xtape.pc"))
        prefix = re.search("^prefix=(.*)$", description.read_text(), re.MULTILINE)[1]
        description.write_text(description.read_text().replace(f"prefix={prefix}", f"prefix={root}{prefix}"))
        self.environment["PKG_CONFIG_PATH"] = str(description.parent)
        self.environment["LD_LIBRARY_PATH"] = str(description.parent.parent)
        self.environment["CMAKE_PREFIX_PATH"] = str(root) + prefix

    def test_compiler_and_cmake(self):
        self.install()
        command = next(text for text, _ in blocks("sh") if "pkg-config" in text)
        self.run_command("sh", "-ec", command)
        self.assertEqual(self.run_command("./mine")[0], self.expected)
        self.write("CMakeLists.txt", self.recipe("cmake"))
        self.run_command("cmake", "-S", ".", "-B", "build")
        self.run_command("cmake", "--build", "build")
        self.assertEqual(self.run_command("build/mine")[0], self.expected)
        self.assertIn("No errors detected", self.run_command("build/my_test")[1])

    def test_the_library_alone_is_installed(self):
        self.install()
        root = self.folder.parent / "root"
        kinds = {re.sub(r"\.so[.\d]*$", ".so", path.name) if ".so" in path.name else path.suffix
                 for path in root.glob("**/*") if path.is_file()}
        kinds.discard("libxtape-mpi.so")  # where MPI is installed
        self.assertEqual(kinds, {"libxtape.so", ".hpp", ".pc", ".cmake"})

    def test_a_later_standard_is_kept(self):
        self.install()
        flags = self.run_command("pkg-config", "--cflags", "xtape")[0]
        self.assertNotIn("-std", flags)
        self.run_command("c++", "-std=c++23", "-fsyntax-only", *flags.split(), "main.cpp")
        _, err = self.run_command("c++", "-std=c++17", "-fsyntax-only", *flags.split(), "main.cpp", code=1)
        self.assertIn("xtape needs C++20", err)

    def test_only_what_programs_need_is_exported(self):
        names = self.run_command("nm", "-D", "--defined-only", next(build.glob("libxtape.so.?.*.?")))[0].split()
        inner = [name for name in names if re.match("_ZT?.?NK?(5boost|5xtape7kernels)|.*nlohmann|backtrace", name)]
        self.assertEqual(inner, [])
        self.assertIn("_ZN5xtape8VariableC1", " ".join(names))

    def test_no_kernel_is_taken_for_that_of_another_instruction_set(self):
        """Of the functions that several objects have under one name, the linker takes the first."""
        targets = sorted(build.glob("libkernels-x86-64-v*.a"))
        if not targets:
            self.skipTest("compiled for one processor")
        def shared(*files):
            lines = self.run_command("nm", *files)[0].splitlines()
            return {line.split()[-1] for line in lines if re.search(" W ", line)}
        v2, v3, v4 = map(shared, targets)
        self.assertTrue(v2 and v3 and v4)
        before = v2 | shared(*build.glob("libxtape.so*.p/*.o"))
        self.assertEqual(sorted((v3 & v4) - before), [])

    def test_every_installed_header_compiles_alone(self):
        self.install()
        headers = [path for path in (self.folder.parent / "root").glob("**/*.hpp")]
        self.assertGreater(len(headers), 20)
        include = next(path for path in (self.folder.parent / "root").glob("**/include/xtape"))
        for folder in ("autograd", "nn", "optim"):
            # Eigen is had by those who include eigen.hpp.
            lines = [f"#include <{path.relative_to(include)}>" for path in sorted((include / folder).glob("**/*.hpp"))
                     if path.name != "eigen.hpp"]
            self.write("all.cpp", "\n".join(lines) + "\n")
            flags = self.run_command("pkg-config", "--cflags", "xtape")[0].split()
            self.run_command("c++", "-std=c++20", "-fsyntax-only", *flags, "all.cpp")

    def test_meson_subproject(self):
        self.write("meson.build", self.recipe("meson"))
        (self.folder / "subprojects").mkdir()
        shutil.copytree(source, self.folder / "subprojects/xtape", ignore=shutil.ignore_patterns("build*", ".git"))
        self.environment["PKG_CONFIG_PATH"] = ""
        # What the build has compiled with the same options is not compiled again.
        self.environment["CXX"] = f"{shlex.quote(sys.executable)} {shlex.quote(str(source / 'tests/readme/reuse.py'))}"
        self.environment["XTAPE_REUSE"] = json.dumps({
            str(self.folder / "subprojects/xtape"): str(source), str(self.folder / "out/subprojects/xtape"): str(build)})
        self.run_command("meson", "setup", "out", "--force-fallback-for=xtape")
        self.run_command("ninja", "-C", "out", "-j2", "mine", "my_test")
        self.assertEqual(self.run_command("out/mine")[0], self.expected)
        self.assertIn("No errors detected", self.run_command("out/my_test")[1])


unittest.main()
