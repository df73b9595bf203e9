#!/usr/bin/env python3
"""Runs the suites of ./check: one line each, the output of what failed, and the sum as the closing line."""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
JOBS = str(min(os.cpu_count() or 2, 8))

# Each build: compiler, Meson's options, what the time limit of a test is multiplied with, and the suites of doctest
# that it leaves out. The slow cases are for plain builds on CAF 0.17: a sanitizer sees nothing in the thousandth run that
# the tenth did not show. clang compiles for ASan and UBSan in half of g++'s time, and so is the second compiler at the same time.
SLOW = "marked slow: for the plain builds"
SANITIZED = ["-Doptimization=1", "-Ddebug=false", "-Dcpp_args=-g1", "-Dcaf=subproject"]
CAF_ROOT = os.environ.get("TROUPE_CAF_ROOT", "")
BUILDS = {
    "gcc": dict(cxx="g++", options=["-Doptimization=1", "-Ddebug=false"], multiplier=1),
    "asan": dict(cxx="clang++-14", options=SANITIZED + ["-Db_sanitize=address,undefined"], multiplier=4,
                 exclude="slow"),
    "tsan": dict(cxx="g++", options=SANITIZED + ["-Db_sanitize=thread", "-Dbench=disabled"], multiplier=6,
                 exclude="slow"),
    # Tests of the Meson suite fuzz-smoke only; they find out themselves whether afl-fuzz can drive them.
    "afl": dict(cxx="afl-clang-fast++", options=["-Doptimization=2", "-Ddebug=false", "-Db_pch=false", "-Dfuzz=enabled",
                                                 "-Dtests=disabled", "-Dexamples=disabled", "-Dbench=disabled"],
                multiplier=1),
    # Its tests run in node and in headless Chromium.
    "wasm": dict(cxx="em++", options=["--cross-file=scripts/wasm/emscripten.ini", "-Doptimization=2", "-Ddebug=false",
                                      "-Db_ndebug=false", "-Dcaf=subproject", "-Dfuzz=disabled", "-Dbench=disabled"],
                 multiplier=3),
    # Debian has no CAF 1: the prefix of one is named by the environment.
    "caf1": dict(cxx="g++", options=["-Doptimization=1", "-Ddebug=false", "-Dcaf_root=" + CAF_ROOT, "-Dbench=disabled"],
                 multiplier=1, exclude="slow"),
    "clang": dict(cxx="clang++-14", options=["-Doptimization=2", "-Ddebug=false", "-Db_pch=false"], multiplier=1),
}
# Other systems, by way of scripts/cross. SQLite is not there for them, and so most of the examples are not.
CROSS = ["-Doptimization=1", "-Ddebug=false", "-Dcaf=subproject", "-Dexamples=auto", "-Dbench=disabled",
         "-Dfuzz=enabled"]
BUILDS["cross-windows"] = dict(cxx="zig for Windows", cross="windows", options=CROSS, multiplier=4,
                               exclude="slow")
BUILDS["cross-macos"] = dict(cxx="zig for macOS", cross="macos", options=CROSS + ["-Dgcd=enabled"], multiplier=1)
CROSS_PARTS = ["cross-windows", "cross-macos"]
PARTS = ["format", "arrows", "caf-versions", "gcc", "install", "afl", "asan", "tsan", "wasm"]
WASM_SUITES = ["wasm-node", "wasm-types", "wasm-chromium"]
ON_REQUEST = ["clang", "caf1"] + CROSS_PARTS
BUILD_LIMIT = 1500  # seconds
TESTS_LIMIT = 1200


class Suites:
    """Prints and counts what the suites say."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, name, passed, failed, skipped=0, why="", output=""):
        if failed and output:
            print(f"---- {name}: output of what failed ----\n{tail(output)}\n----")
        reason = f" ({why})" if skipped and why else ""
        print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped{reason}")
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def tail(text, lines=200):
    kept = text.rstrip("\n").split("\n")
    return "\n".join((["..."] if len(kept) > lines else []) + kept[-lines:])


def say(text):
    print(f"# {text}", file=sys.stderr)


def run(command, limit, env=None, cwd=ROOT):
    """Runs a command for at most `limit` seconds. Returns (exit status or None when the time was up, output)."""
    process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        output = ""
    # Meson has its tests in process groups of their own and ends them when it is asked to.
    for ending, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        os.killpg(process.pid, ending)
        try:
            output, _ = process.communicate(timeout=patience)
            break
        except subprocess.TimeoutExpired:
            pass
    return None, output + f"\n[ended after {limit} s]"


def counting(suites, name, command, limit):
    """A suite that is a command which closes with 'N passed, N failed'."""
    status, output = run(command, limit)
    count = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped(?: \((.*)\))?)?$", output, re.M)
    passed, failed, skipped, why = count[-1] if count else (0, 0, 0, "")
    failed = int(failed)
    if status != 0 and failed == 0:
        failed = 1
    suites.add(name, int(passed), failed, int(skipped or 0), why, output)


def check_format(suites):
    _, files = run(["scripts/format", "--list"], 60)
    files = files.split()
    status, output = run(["scripts/format", "--check"], 300)
    bad = {line.split(":")[0] for line in output.split("\n") if re.match(r"\S+:\d+:\d+: error", line)}
    failed = len(bad) or (1 if status != 0 else 0)
    suites.add("format", len(files) - len(bad), failed, output=output)


def check_arrows(suites):
    counting(suites, "arrows", ["scripts/check-arrows"], 120)
    counting(suites, "arrows-selftest", ["scripts/check-arrows", "--self-test"], 120)
    counting(suites, "check-selftest", ["python3", "-B", "scripts/check_selftest.py"], 120)


def folder(build):
    return os.path.join("build", "check-" + build)


def tests_of(build):
    """What Meson knows of a configured build's tests: (name, names of its suites, the programs it needs), each once."""
    _, listing = run(["meson", "introspect", folder(build), "--tests", "--targets"], 60)
    known = json.loads(listing)
    files = {target["id"]: target["filename"] for target in known["targets"]}
    return [(test["name"], [suite.split(":")[-1] for suite in test["suite"]],
             [test["cmd"][0]] + [file for target in test["depends"] for file in files.get(target, [])])
            for test in known["tests"]]


def targets_of(build, wanted):
    """What Ninja has to build for the wanted suites: nothing named means everything."""
    tests = tests_of(build)
    if all(wanted(name) for name, _, _ in tests):
        return []
    programs = {program for name, kinds, needed in tests if wanted(name) or any(map(wanted, kinds)) for program in needed}
    built = [os.path.relpath(program, os.path.join(ROOT, folder(build))) for program in programs]
    return sorted(program for program in built if not program.startswith(".."))  # not node, nor scripts


def prepare(suites, build, wanted):
    """Configures and compiles a build. Returns whether its tests can run; a failure is a suite of its own."""
    directory, settings = folder(build), BUILDS[build]
    started = time.monotonic()
    status, output = 0, ""
    if "-Dcaf=subproject" in settings["options"]:
        status, output = run(["scripts/fetch-caf-source"], 700)
    machine = []
    if status == 0 and "cross" in settings:
        say(f"getting what building for {settings['cross']} takes")
        status, output = run(["scripts/cross/toolchain", settings["cross"]], 2400)
        machine = ["--cross-file", "build/cross/machine.ini", "--cross-file", f"scripts/cross/{settings['cross']}.ini"]
    # Meson keeps a build directory's compiler for good.
    stamp = os.path.join(ROOT, directory, "compiler")
    if os.path.exists(os.path.join(ROOT, directory)):
        old = open(stamp, encoding="utf-8").read() if os.path.exists(stamp) else ""
        if old != settings["cxx"]:
            shutil.rmtree(os.path.join(ROOT, directory))
    if status == 0:
        known = os.path.exists(os.path.join(ROOT, directory, "build.ninja"))
        prefix = os.path.join(ROOT, directory, "prefix")
        common = ["--prefix", prefix, "--libdir", "lib", "-Dwerror=true", "-Dcaf:werror=false", "-Db_lundef=false",
                  "-Dtests=enabled", "-Dexamples=enabled"]
        if build == "wasm":
            common.remove("-Db_lundef=false")
        else:
            common.append("-Dasio=enabled")
        if "-Dcaf=subproject" not in settings["options"]:
            common.remove("-Dcaf:werror=false")
        launcher = "ccache " if shutil.which("ccache") and not settings["cxx"].startswith("afl") else ""
        environment = {} if machine else {"CXX": launcher + settings["cxx"]}
        if build == "wasm":
            environment = emscripten_environment()
        status, output = run(["meson", "setup", directory] + (["--reconfigure"] if known else []) + machine + common
                             + settings["options"], 300, {**environment, "AFL_QUIET": "1"})
    if status == 0:
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(settings["cxx"])
        say(f"building {directory}")
        status, output = run(["ninja", "-C", directory, "-j", JOBS] + targets_of(build, wanted), BUILD_LIMIT,
                             {"CCACHE_SLOPPINESS": "pch_defines,time_macros,include_file_mtime,include_file_ctime",
                              "AFL_QUIET": "1", **emscripten_environment()})
        if status != 0:
            wanted = output.split("FAILED:", 1)
            output = "FAILED:" + wanted[1] if len(wanted) == 2 else output
            output = "\n".join(output.split("\n")[:120])
    say(f"{directory} took {time.monotonic() - started:.0f} s")
    suites.add(f"{build}/build", int(status == 0), int(status != 0), output=output)
    return status == 0


def read_result(entry):
    """Returns (passed, failed, skipped, why) of one entry of Meson's log: doctest's count if there is one."""
    output = entry.get("stdout", "") + entry.get("stderr", "")
    reasons = sorted(set(re.findall(r"^SKIPPED: (.*)$", output, re.M)))
    cases = re.search(r"test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(\d+) skipped", output)
    if cases:
        total, passed, failed, skipped = map(int, cases.groups())
        bad = entry["result"] not in ("OK", "EXPECTEDFAIL")
        if bad and failed == 0:
            failed = 1  # It failed after the last case: a leak, a race, or a destructor of a static.
        told = len(re.findall(r"^SKIPPED: ", output, re.M))
        return min(passed, total) - min(told, passed), failed, skipped + told, reasons
    if entry["result"] == "SKIP":
        return 0, 0, 1, reasons or ["it says so"]
    return int(entry["result"] == "OK"), int(entry["result"] != "OK"), 0, reasons


def run_tests(suites, build, wanted, meson_suite):
    """Runs the tests of one Meson suite ('doctest': a line for each program; others: a line for all of them)."""
    directory, settings = folder(build), BUILDS[build]
    tests = [name for name, kinds, _ in tests_of(build) if meson_suite in kinds]
    names = [name for name in tests if wanted(name if meson_suite == "doctest" else meson_suite)]
    if not names:
        return []
    log = os.path.join(ROOT, directory, "meson-logs", "check.json")
    if os.path.exists(log):
        os.remove(log)
    excluded = settings.get("exclude") if meson_suite == "doctest" else None
    command = ["meson", "test", "-C", directory, "--no-rebuild", "--logbase", "check", "--num-processes", JOBS,
               "--timeout-multiplier", str(settings["multiplier"]), "--suite", meson_suite]
    if excluded:
        command += [f"--test-args=--test-suite-exclude={excluded}"]
    _, output = run(command + names, TESTS_LIMIT)
    entries = {}
    if os.path.exists(log):
        with open(log, encoding="utf-8") as file:
            entries = {entry["name"].split(" / ")[-1]: entry for entry in map(json.loads, file)}
    prefix = "" if build in ("gcc", "wasm") else build + "/"
    sums, texts = [0, 0, 0, []], ""
    for name in names:
        entry = entries.get(name)
        if entry is None:
            result, text = (0, 1, 0, []), output
        else:
            result = read_result(entry)
            text = (f"[{name}: {entry['result']}, exit status {entry.get('returncode')}, {entry['duration']:.1f} s]\n"
                    + entry.get("stdout", "") + entry.get("stderr", ""))
        if excluded and result[2] and not result[3]:
            result = (*result[:3], [SLOW])
        if meson_suite == "doctest":
            suites.add(prefix + name, *result[:3], "; ".join(result[3]) or "marked skip", text)
        else:
            sums = [sums[0] + result[0], sums[1] + result[1], sums[2] + result[2], sums[3] + result[3]]
            texts += text if result[1] else ""
    if meson_suite != "doctest":
        why = "; ".join(sorted(set(sums[3]))) or "marked: they need threads or processes" * (build == "wasm")
        suites.add(prefix + meson_suite, *sums[:3], why, texts)
    return names if meson_suite == "doctest" else [meson_suite]


def linked_for_macos(suites, build):
    """Counts the programs and looks at their headers. Nothing here can run them, and the line says so."""
    _, listing = run(["meson", "introspect", folder(build), "--targets"], 60)
    programs = [name for target in json.loads(listing) if target["type"] == "executable" for name in target["filename"]]
    bad = []
    for name in programs:
        with open(name, "rb") as file:
            if file.read(8) != bytes.fromhex("cffaedfe0c000001"):  # Mach-O of 64 bits, arm64
                bad.append(name)
    suites.add(f"{build}/compiles", len(programs) - len(bad), len(bad), output="not for macOS on arm64: " + " ".join(bad))
    tests = tests_of(build)
    suites.add(f"{build}/works", 0, 0, len(tests), "compiled and linked, but there is no macOS to run it on")


def check_build(suites, build, wanted):
    """Builds, and runs the tests. Returns the names of the suites that it ran."""
    if not prepare(suites, build, wanted):
        return None
    if BUILDS[build].get("cross") == "macos":
        linked_for_macos(suites, build)
        return ["compiles", "works"]
    kinds = WASM_SUITES if build == "wasm" else ("doctest", "report-page", "fuzz-smoke", "bench-smoke")
    return [name for kind in kinds for name in run_tests(suites, build, wanted, kind)]


def emscripten_environment():
    """What Debian's em++ needs to find its helpers with another node or python than Debian's."""
    launcher = {"EM_COMPILER_WRAPPER": "ccache"} if shutil.which("ccache") else {}
    return {"EMSDK_PYTHON": "/usr/bin/python3", "NODE_PATH": "/usr/share/nodejs", **launcher}


def check_wasm(suites, wanted):
    """The WebAssembly build, where there is a compiler and CAF's sources for it."""
    missing = ""
    if not shutil.which("em++"):
        missing = "em++ is not installed (Debian: emscripten)"
    elif not shutil.which("node") and not shutil.which("nodejs"):
        missing = "node is not installed (Debian: nodejs)"
    else:
        status, output = run(["scripts/fetch-caf-source"], 700)
        if status != 0:
            missing = "CAF's sources cannot be had: " + (output.strip().split("\n")[-1] or "no answer")
    if missing:
        for suite in WASM_SUITES:
            if wanted(suite):
                suites.add(suite, 0, 0, 1, missing)
        return WASM_SUITES
    return check_build(suites, "wasm", wanted)


def check_caf1(suites, wanted):
    if CAF_ROOT:
        return check_build(suites, "caf1", wanted)
    suites.add("caf1", 0, 0, 1, "TROUPE_CAF_ROOT does not name the prefix of a CAF 1.0 or 1.1")
    return None


def check_install(suites):
    if os.path.exists(os.path.join(ROOT, folder("gcc"), "build.ninja")):
        counting(suites, "install", ["tests/install/run.sh", folder("gcc")], 900)
    else:
        suites.add("install", 0, 1, output="it installs build/check-gcc, which was not built")


def main():
    parser = argparse.ArgumentParser(prog="./check", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description=__doc__, epilog="""
without arguments: everything, as CI does.
suites: format, arrows, caf-versions, gcc, install, afl, asan (clang, ASan and UBSan), tsan: a whole part; NAME: a suite of the g++ build
(contracts, actors, executors, sessions, sim, examples, fuzz, readme, gcd, report-page, fuzz-smoke, bench-smoke); asan/NAME and so on: that
one elsewhere. wasm: the WebAssembly build; wasm-node, wasm-types, wasm-chromium: its tests there. On request only: clang (optimised, without
precompiled headers: finds a forgotten #include), cross-windows (run under Wine), cross-macos (compiled and linked);
docs/cross.md; caf1 (with the CAF 1.0 or 1.1 that is installed in $TROUPE_CAF_ROOT; its part in a run of everything if that
is set).""")
    parser.add_argument("--quick", action="store_true", help="format, arrows and the suites of the g++ build only")
    parser.add_argument("--cross", action="store_true", help="cross-windows and cross-macos only")
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    arguments = parser.parse_args()

    parts = PARTS + ON_REQUEST if arguments.suites else PARTS + ["caf1"] * bool(CAF_ROOT)
    if arguments.quick:
        parts = ["format", "arrows", "caf-versions", "gcc"]
    if arguments.cross:
        parts = CROSS_PARTS
    only = {}  # part -> names of its suites, or all of them
    for suite in arguments.suites:
        part, _, name = suite.partition("/") if "/" in suite else (suite, "", "")
        if suite in WASM_SUITES:
            part, name = "wasm", suite
        elif part not in parts:
            part, name = "gcc", suite
        if part not in BUILDS and name or "/" in name:
            parser.error(f"no such suite: {suite}")
        only.setdefault(part, set()).add(name)

    started = time.monotonic()
    suites = Suites()
    for part in parts:
        if arguments.suites and part not in only:
            continue
        names = only.get(part, {""})
        wanted = lambda name: "" in names or name in names
        if part == "format":
            check_format(suites)
        elif part == "arrows":
            check_arrows(suites)
        elif part == "caf-versions":
            counting(suites, "caf-versions", ["scripts/check-caf-versions"], 300)
        elif part == "install":
            check_install(suites)
        else:
            if part == "afl" and not os.path.exists(os.path.join(ROOT, "fuzz", "meson.build")):
                continue
            special = {"wasm": check_wasm, "caf1": check_caf1}
            ran = special[part](suites, wanted) if part in special else check_build(suites, part, wanted)
            for name in sorted(names - {""} - set(ran)) if ran is not None else []:
                suites.add(f"{part}/{name}", 0, 1, output="there is no such suite")
    say(f"all of it took {time.monotonic() - started:.0f} s")
    print(f"{suites.passed} passed, {suites.failed} failed" + (f", {suites.skipped} skipped" if suites.skipped else ""))
    return 1 if suites.failed or suites.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
