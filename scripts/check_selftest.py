#!/usr/bin/env python3
"""Whether ./check counts right: what doctest and Meson say, and what they leave unsaid."""
import sys

import check

SUMMARY = "[doctest] test cases: {0} | {1} passed | {2} failed | {3} skipped\n"


def result(meson_result, output, stderr=""):
    return check.read_result({"result": meson_result, "stdout": output, "stderr": stderr})


CASES = [
    ("all cases passed", result("OK", SUMMARY.format(3, 3, 0, 0)), (3, 0, 0, [])),
    ("some cases failed", result("FAIL", SUMMARY.format(5, 3, 2, 1)), (3, 2, 1, [])),
    ("wide columns are read", result("OK", SUMMARY.format("  12", "  11", "   0", "  1")), (11, 0, 1, [])),
    ("a failure after the last case counts", result("FAIL", SUMMARY.format(3, 3, 0, 0), "LeakSanitizer"), (3, 1, 0, [])),
    ("a crash without a summary counts", result("FAIL", "[doctest] doctest version\n"), (0, 1, 0, [])),
    ("a time-out counts", result("TIMEOUT", ""), (0, 1, 0, [])),
    ("a time-out after the summary counts", result("TIMEOUT", SUMMARY.format(3, 3, 0, 0)), (3, 1, 0, [])),
    ("a program without doctest is one case", result("OK", "fine\n"), (1, 0, 0, [])),
    ("a program may be skipped", result("SKIP", ""), (0, 0, 1, ["it says so"])),
    ("a skipped program says why", result("SKIP", "SKIPPED: no afl-fuzz\n"), (0, 0, 1, ["no afl-fuzz"])),
    ("a case that skips itself did not pass",
     result("OK", "SKIPPED: no loopback\n" + SUMMARY.format(3, 3, 0, 0)), (2, 0, 1, ["no loopback"])),
]


def main():
    wrong = [(name, got, wanted) for name, got, wanted in CASES if got != wanted]
    for name, got, wanted in wrong:
        print(f"{name}: {got} instead of {wanted}")
    status, output = check.run(["sh", "-c", "echo before; sleep 60 & sleep 60"], 0.5)
    if status is not None or not output.startswith("before\n"):
        wrong.append(name := "a command that hangs is ended, with all it started, and its output kept")
        print(name)
    print(f"{len(CASES) + 1 - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
