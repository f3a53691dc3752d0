"""A compiler that copies an object if another build made it of the same source with the same options.

XTAPE_REUSE says, in JSON, which of this build's folders stand for which of the other's: a copy of the sources for the
sources, then the build folder of the copy for that of the sources.
"""
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

folders = json.loads(os.environ["XTAPE_REUSE"])
other_source, other_build = folders.values()
commands = json.loads(pathlib.Path(other_build, "compile_commands.json").read_text())


def split(command):
    """The compiler's own words, and its arguments."""
    first = next(i for i, word in enumerate(command) if word.startswith("-"))
    return command[:first], command[first:]


def theirs(path, folder):
    """The path in the other build's terms."""
    path = os.path.normpath(os.path.join(folder, path))
    for mine, other in folders.items():
        if path == mine or path.startswith(mine + "/"):
            return other + path[len(mine):]
    return path


def essence(arguments, folder):
    """The source, and what decides on its object: not warnings, nor where results go."""
    source, options, words = None, [], iter(arguments)
    for word in words:
        if word in ("-o", "-MQ", "-MF"):
            next(words)
        elif word == "-c":
            source = theirs(next(words), folder)
        elif word.startswith("-I"):
            options.append("-I" + theirs(word[2:], folder))
        elif not word.startswith(("-W", "-MD", "-fdiagnostics")):
            options.append(word)
    return source, options


def find(arguments):
    """The object of the other build, or None."""
    wanted = essence(arguments, os.getcwd())
    for command in commands:
        folder = command["directory"]
        if theirs(command["file"], folder) == wanted[0] and \
                essence(split(shlex.split(command["command"]))[1], folder) == wanted:
            return pathlib.Path(folder, command["output"])
    return None


arguments = sys.argv[1:]
made = find(arguments)
# A precompiled header of clang knows where its headers stand, and when they were written.
if made and made.exists() and made.suffix != ".pch":
    shutil.copyfile(made, arguments[arguments.index("-o") + 1])
else:
    compiler, _ = split(shlex.split(commands[0]["command"]))
    sys.exit(subprocess.call([*compiler, *arguments]))
