#!/usr/bin/env python3
"""Does the tree keep its own rules? Layers, banned calls, sizes, links. Standard library only.

    python3 tools/tidy.py            errors only; exit 1 if there is one
    python3 tools/tidy.py -v         warnings too
    python3 tools/tidy.py --sizes    the longest files and functions

Rules and their limits stand in the constants below; docs/ and CONTRIBUTING.md explain them.
"""
import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"

# Folders that compute and nothing else: time, network and randomness come in as arguments.
PURE_FOLDERS = ("translate", "routing", "accounting", "admin")
IMPURE = {
    r"#include <thread>": "a pure folder starts no threads",
    r"#include <(mutex|shared_mutex|condition_variable|future)>": "a pure folder takes no locks",
    r"#include <(sys/socket|sys/epoll|netinet/\w+|arpa/inet|netdb|unistd)\.h>": "a pure folder knows no sockets",
    r"#include <(boost/asio\S*|openssl/ssl\.h)>": "a pure folder knows no network",
    r"\b(steady_clock|system_clock|high_resolution_clock)::now\b": "time comes in as an argument",
    r"\b(clock_)?gettimeofday?\s*\(|\bclock_gettime\s*\(|\bstd::time\s*\(": "time comes in as an argument",
    r"\b(std::random_device|random_device|mt19937|rand\s*\(\s*\))": "randomness comes in as an argument",
    r"\bgetenv\b": "the environment is read by main and config",
    r'#include "base/log\.h"': "a pure folder does not log",
}
BANNED = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|alloca)\s*\(": "unbounded or unchecked C call",
    r"#include <(format|expected|regex|iostream)>": "not in g++ 12, or too heavy (fmt, base/result.h, llhttp)",
    r"\busing namespace std\b": "names are spelled out",
    r"^(?!.*_ptr<[\w:]+>\().*\bnew \w+(::\w+)*\s*[({]": "ownership is spelled make_unique (or unique_ptr<T>(new T) if private)",
    r"\bthrow\b": "errors are values (base/result.h)",
    r"\bstd::(cout|cerr)\b": "output goes through base/log.h",
}
# Where a banned pattern is right: (file, pattern prefix).
ALLOWED = {("src/main.cc", r"#include <(format"), ("src/main.cc", r"\bstd::(cout"),
           ("src/net/resolver.cc", r"^(?!.*_ptr")}  # the C library holds it until its callback
LOOP_FOLDERS = ("net",)  # the only folder that may see the reactor
COLUMNS_MAX = 120  # tables; clang-format has its own, smaller limit for code
FILE_WARN, FILE_FAIL = 500, 800
FUNCTION_WARN, FUNCTION_FAIL = 70, 120
TEST_FACTOR = 2  # tests are tables and stories: they may be longer
PROSE_BANNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SCRIPT_LINES_FAIL = 400

errors, warnings = [], []


def error(path, line, text):
    errors.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def warn(path, line, text):
    warnings.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def sources(suffixes=(".h", ".cc", ".inc")):
    return sorted(p for p in SRC.rglob("*") if p.suffix in suffixes)


def is_test(path):
    return path.stem.endswith("_test") or path.stem.startswith("test_")


# ------------------------------------------------------------------ layers
def layers():
    """folder -> folders it may include, transitively, from CMakeLists.txt."""
    direct = {}
    for name, deps in re.findall(r"gw_library\(\s*(\w+)([^)]*)\)", (ROOT / "CMakeLists.txt").read_text()):
        found = re.search(r"\bDEPS\b(.*?)(\bLINK\b|$)", deps, re.S)
        direct[name] = set(found[1].split()) if found else set()
    reach = {}

    def visit(name, path):
        if name in path:
            sys.exit(f"CMakeLists.txt: the layers form a circle: {' -> '.join([*path, name])}")
        if name not in reach:
            reach[name] = set().union({name}, *(visit(d, [*path, name]) for d in direct.get(name, ())))
        return reach[name]

    for name in direct:
        visit(name, [])
    return direct, reach


def check_includes(path, lines, direct, reach):
    folder = path.relative_to(SRC).parts[0] if len(path.relative_to(SRC).parts) > 1 else None
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#include "([^"]+)"', line)
        if not found:
            continue
        target = found[1]
        if not (SRC / target).exists() and not (path.parent / target).exists():
            error(path, number, f'"{target}" does not exist (paths start at src/)')
            continue
        into = target.split("/")[0]
        if folder is None or into == folder or "/" not in target:
            continue
        if into not in reach.get(folder, ()):
            error(path, number, f"{folder} must not include {into} (CMakeLists.txt, DEPS)")
        elif into not in direct[folder] and not is_test(path):
            warn(path, number, f"{folder} uses {into} without naming it in DEPS")


def check_calls(path, lines):
    relative = str(path.relative_to(ROOT))
    folder = path.relative_to(SRC).parts[0]
    for number, line in enumerate(lines, 1):
        code = strip(line)
        rules = dict(BANNED)
        if folder in PURE_FOLDERS and not is_test(path):
            rules |= IMPURE
        if folder not in LOOP_FOLDERS and re.search(r"#include <(boost/asio|sys/epoll)|\basio::|\bepoll_\w+\(", code):
            error(path, number, "only net/ sees the reactor")
        for pattern, why in rules.items():
            if re.search(pattern, code) and not any(relative == f and pattern.startswith(p) for f, p in ALLOWED):
                error(path, number, f"'{code.strip()[:60]}': {why}")
        if PROSE_BANNED.search(line):
            error(path, number, "open ends belong into an issue")


def strip(line):
    """A line of C++ without comment and string contents."""
    if line.lstrip().startswith("#include"):
        return line
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return line.split("//")[0]


# ------------------------------------------------------------------ sizes
def balance(lines):
    """Opened minus closed round brackets."""
    text = "".join(strip(line) for line in lines)
    return text.count("(") - text.count(")")


def functions(lines):
    """(name, first line, length) of each function body that stands at namespace or class level.

    clang-format's layout is the parser: a body opens with a line that ends in '{' and follows a
    parameter list, and it ends with '}' at the same indentation.
    """
    opening = re.compile(r"^(\s*)(?!.*\b(namespace|class|struct|enum|union|if|for|while|switch|else|do|catch|return)\b)"
                         r".*\)\s*(const|noexcept|override|final|&|\s|->\s*[\w:<>,&*\s]+)*(:.*)?\{$")
    i = 0
    while i < len(lines):
        found = opening.match(lines[i])
        # A signature of several lines ends in ') {' on a deeper line: its start gives the indentation.
        # So does a constructor's list of members, which starts with ':'.
        if not found or "](" in lines[i]:
            i += 1
            continue
        start = i
        while start > 0 and i - start < 12 and (lines[start].lstrip().startswith((":", ","))
                                                or balance(lines[start:i + 1]) < 0
                                                or re.match(r"\s+:", lines[start])):
            start -= 1
        indent = re.match(r"\s*", lines[start])[0]
        end = next((j for j in range(i + 1, len(lines)) if re.match(rf"^{indent}\}}", lines[j])), None)
        if end is None:
            i += 1
            continue
        name = re.findall(r"([~\w:]+)\s*\(", lines[start])
        yield (name[0] if name else "?"), start + 1, end - start + 1
        i = end + 1


def check_sizes(path, lines, table):
    factor = TEST_FACTOR if is_test(path) else 1
    if len(lines) > FILE_FAIL * factor:
        error(path, 1, f"{len(lines)} lines (limit {FILE_FAIL * factor})")
    elif len(lines) > FILE_WARN * factor:
        warn(path, 1, f"{len(lines)} lines (aim {FILE_WARN * factor})")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and "http" not in line and 'R"' not in line and path.suffix != ".inc":
            warn(path, number, f"{len(line)} columns (aim {COLUMNS_MAX})")
    for name, line, length in functions(lines):
        table.append((length, f"{path.relative_to(ROOT)}:{line} {name}"))
        if length > FUNCTION_FAIL * factor:
            error(path, line, f"{name}: {length} lines (limit {FUNCTION_FAIL * factor})")
        elif length > FUNCTION_WARN * factor:
            warn(path, line, f"{name}: {length} lines (aim {FUNCTION_WARN * factor})")


# ------------------------------------------------------------------ headers, tests, texts
def check_header(path, lines):
    text = "\n".join(lines)
    if path.suffix == ".h" and "#pragma once" not in text:
        error(path, 1, "no #pragma once")
    speaks_for_itself = path.suffix != ".cc" or not (path.with_suffix(".h").exists() or is_test(path))
    if speaks_for_itself and not lines[0].startswith("//"):
        error(path, 1, "the file does not say which question it answers (a comment on its first line)")


def check_pairs():
    """Every include "x/y.h" of a .cc that bears its name; no dead headers."""
    included = set()
    for path in [*sources(), *(ROOT / "fuzz").glob("*.cc"), *(ROOT / "bench").glob("*.cc")]:
        for target in re.findall(r'#include "([^"]+)"', path.read_text()):
            included.add(target)
            included.add(f"{path.parent.name}/{target}")
    for path in sources((".h", ".inc")):
        if str(path.relative_to(SRC)) not in included:
            error(path, 1, "nobody includes it")


def check_links():
    """Relative links of the Markdown files lead somewhere."""
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *SRC.rglob("*.md"),
                        *(ROOT / "deploy").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]):
        fenced = False
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            if fenced:
                continue
            line = re.sub(r"`[^`]*`", "", line)
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", target) or target.startswith("#"):
                    continue
                if not (path.parent / target.split("#")[0]).exists():
                    error(path, number, f"the link '{target}' leads nowhere")


def check_scripts():
    for path in sorted([*(ROOT / "script").iterdir(), *(ROOT / ".ci").iterdir(), *(ROOT / "tools").glob("*.py"),
                        *(ROOT / "tests").rglob("*.py")]):
        if not path.is_file():
            continue
        lines = path.read_text().split("\n")
        if len(lines) > SCRIPT_LINES_FAIL:
            error(path, 1, f"{len(lines)} lines (limit {SCRIPT_LINES_FAIL})")
        if path.parent.name in ("script", ".ci") and path.suffix == "" and not path.stat().st_mode & 0o100:
            error(path, 1, "not executable")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-v", "--verbose", action="store_true", help="warnings too")
    parser.add_argument("--sizes", action="store_true", help="the longest files and functions")
    options = parser.parse_args()
    direct, reach = layers()
    table, files = [], []
    for path in sources():
        lines = path.read_text().rstrip("\n").split("\n")
        files.append((len(lines), str(path.relative_to(ROOT))))
        check_includes(path, lines, direct, reach)
        check_calls(path, lines)
        check_sizes(path, lines, table)
        check_header(path, lines)
    check_pairs()
    check_links()
    check_scripts()
    if options.sizes:
        for kind, rows in (("files", files), ("functions", table)):
            rows.sort(reverse=True)
            middle = rows[len(rows) // 2][0] if rows else 0
            print(f"{len(rows)} {kind}, median {middle} lines")
            for size, name in rows[:10]:
                print(f"  {size:5} {name}")
    for text in warnings if options.verbose else ():
        print(f"warning: {text}")
    for text in errors:
        print(f"error: {text}")
    print(f"tidy: {len(files)} files, {len(errors)} errors, {len(warnings)} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
