#!/usr/bin/env python3
"""Every test that docs/promises.md names beside a promise and docs/carriers.md beside a pitfall is
there: a table that lies is worse than none. And every case of an end-to-end program is run: where
some of its classes are named to ctest, all are.

Words in backquotes in the last column of their tables, as the pages explain them: Suite.Name and
Suite of C++; x_test.py of tests/end_to_end/, with names of what is in it; folder/; part_of_a_name
of a Python test.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = (("promises.md", "\n"), ("carriers.md", "## Pitfalls"))  # and where its tables begin
JUDGES = os.path.join(ROOT, "tests", "end_to_end")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def written_tests():
    """{(suite, name)} of all C++ tests."""
    found = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "tests")):
        for name in names:
            if name.endswith(".cpp"):
                found.update(re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)",
                                        read(os.path.join(folder, name)), re.M))
    return found


def fault(word, tests, judges):
    """What is wrong with one word; None when it names something that is there."""
    if re.fullmatch(r"\w+/(\w+/)*", word):
        known = any(os.path.isdir(os.path.join(ROOT, base, word)) for base in ("", "tests"))
        return None if known else "no such folder"
    if re.fullmatch(r"[A-Z]\w+\.[A-Z]\w+", word):
        return None if tuple(word.split(".")) in tests else "no such test"
    if re.fullmatch(r"[A-Z]\w+", word):
        return None if any(suite == word for suite, _ in tests) else "no such suite"
    if match := re.fullmatch(r"(\w+_test\.py)((?: \w+)*)", word):
        if match[1] not in judges:
            return "no such program"
        for name in match[2].split():
            if not re.search(rf"^(class|def) {name}\b", judges[match[1]], re.M):
                return f"{name} is not in it"
        return None
    if re.fullmatch(r"[a-z]\w+", word):
        there = any(re.search(rf"def test_\w*{word}", text) for text in judges.values())
        return None if there else "no judge has a test of this name"
    return "not understood"


def rows_of(page, begin):
    """The lines of its tables that are no heading."""
    lines = read(os.path.join(ROOT, "docs", page)).partition(begin)[2].splitlines()
    return [line for line, after in zip(lines, lines[1:] + [""])
            if line.startswith("| ") and not after.startswith("|---")]


def left_out(judges):
    """Classes with cases of programs of which others are named in CMakeLists.txt, and they are not."""
    listed = set(re.findall(r"\w+", read(os.path.join(JUDGES, "CMakeLists.txt"))))
    for program, text in judges.items():
        bodies = re.finditer(r"^class (\w+)\(.*\):\n((?:[ \t].*\n|\n)*)", text, re.M)
        classes = [body[1] for body in bodies if "    def test_" in body[2]]
        if listed.intersection(classes):
            yield from (f"{program}: nobody runs {name}" for name in classes if name not in listed)


def main():
    rows = [row for page in PAGES for row in rows_of(*page)]
    tests = written_tests()
    judges = {name: read(os.path.join(JUDGES, name)) for name in os.listdir(JUDGES)
              if name.endswith("_test.py")}
    words, faults = 0, []
    for row in rows:
        named = re.findall(r"`([^`]+)`", row.rstrip(" |").rpartition(" | ")[2])
        words += len(named)
        if not named and "met in the field" not in row:
            faults.append(f"no test is named: {row}")
        for word in named:
            if why := fault(word, tests, judges):
                faults.append(f"{word}: {why}")
    faults += left_out(judges)
    print("\n".join(faults + [f"{len(rows)} rows, {words} names, {len(faults)} wrong"]))
    return 1 if faults or words < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
