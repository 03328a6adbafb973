#!/usr/bin/env python3
"""Does our YAML reader mean what PyYAML's safe_load means?

    yaml_differential.py --dump "build/release/intertie yaml-dump" [--count 2000] [--seed 1]

The command gets a file name and prints one line: the document as JSON, or "error:" and why. Documents are hand-written oddities and generated ones. Where both read a document,
values, types and key order must be equal; where PyYAML's constructor refuses, we must refuse too.
Timestamps are strings for us, so PyYAML runs without its timestamp resolver.

Known and accepted: libyaml's scanner reads a few texts that PyYAML's refuses ("[http://x?y]", a tab
after a colon), and refuses "{a:}", "[a:]" and "[?]"; we refuse !!omap, !!pairs, !!set and !!binary.
"""
import argparse
import json
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile

import yaml


class Loader(yaml.SafeLoader):
    """safe_load without timestamps."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in rows if tag != "tag:yaml.org,2002:timestamp"]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_yaml_str)

SCALARS = """
yes Yes YES yEs no No NO on On ON off Off OFF true True TRUE tRue false y n
null Null NULL ~ nULL
0 1 -1 +1 007 08 0o17 0b101 0b_1 0b 0x1F 0xg 0x_f -0x10 +0b1 1_000 _1 1__0 0_0 0_ 00 -0 1,000
123456789012345678901234567890 -9223372036854775808 9223372036854775808 18446744073709551616
0xFFFFFFFFFFFFFFFFFFFF 1.0 1. .5 -.5 +.5 ._5 1.5e3 1.5e+3 1.5E-3 1e5 1e-05 1.e+3 1_0.5_0 1.5e+_3
1.7976931348623157e+309 1.0e-400 0.1 -0.0 1.5e-07 .inf -.inf +.inf .Inf .INF .iNF .nan .NaN .NAN -.nan
12:30 1:2:3 12:60 1:99 190:20:30 190:20:30.15 -1:30 1:30. 0:30 01:30 1:30:a 1_0:30
2024-01-01 2024-01-01T10:00:00Z 2024-1-1 2001-12-14t21:59:43.10-05:00 12:30:45.5
<< = - ? : a:b a::b a: :a http://x/y?z=1#f os.environ/NAME sk-1234 openai/gpt-4o "*" '*' '<<' "="
'' "" 'it''s' "tab\\tnl\\nu\\u00e9x\\x41" 'yes' "123" "null" 'a: b' "a\\
b" plain#nohash é 日本 🙂 !!str\\ 123 -a ?a :a a?b [] {} [a] {a} {a:} {a:b} {"a":b} [a:b] @x `x %x !x &x *x
""".split()

ODDITIES = [
    "", "\n", "# only a comment\n", "---\n", "---\n...\n", "--- a\n--- b\n", "a\n...\n", "%YAML 1.1\n---\na: 1\n",
    "a: 1\na: 2\nb: 3\n", "1: a\ntrue: b\n1.0: c\n'1': d\n", "yes: 1\nno: 2\n~: 3\nnull: 4\n",
    "? [a, b]\n: c\n", "? {a: b}\n: c\n", "? a\n: b\n? c\n", "? |\n  block key\n: v\n",
    "b: &b {x: 1, y: 2}\nm:\n  <<: *b\n  y: 3\n", "b: &b {x: 1}\nm:\n  y: 0\n  <<: *b\n  x: 9\n",
    "a: &a {x: 1, z: 1}\nb: &b {x: 2, y: 2}\nm: {<<: [*a, *b], w: 0}\n",
    "a: &a {x: 1}\nb: &b {x: 2}\nm:\n  <<: *a\n  <<: *b\n", "m: {<<: 1}\n", "m: {<<: [1]}\n", "m: {<<: [{a: 1}, 2]}\n",
    "m: {<<: {}}\n", "m: {<<: []}\n", "m: {<<: null}\n", "m: {'<<': {a: 1}}\n", "m: {\"<<\": 1}\n", "- <<\n", "a: <<\n",
    "base: &base\n  k: 1\nmid: &mid\n  <<: *base\n  l: 2\ntop:\n  <<: *mid\n  k: 5\n",
    "m: {=: 1}\n", "a: =\n", "- =\n", "a: *missing\n", "a: &x [*x]\n", "a: &x 1\nb: &x 2\n", "a: &x 1\nb: *x\nc: [*x, *x]\n",
    "&k key: v\nother: *k\n", "a: &x\nb: *x\n", "a: !!str 1\nb: !!int '3'\nc: !!float 3\nd: !!bool 'yes'\ne: !!null ''\n",
    "a: !!int abc\n", "a: !!float abc\n", "a: !!bool maybe\n", "a: !foo 1\n", "a: ! 1\n", "a: !!str [1]\n", "a: !!map {b: 1}\n",
    "a: !!seq [1]\n", "a: !!python/object:os.system x\n", "a: !!float '1e5'\n", "a: !!int 0x10\n", "a: !!int '0o7'\n",
    "a: |\n  one\n  two\n", "a: |-\n  one\n\n", "a: |+\n  one\n\n\n", "a: >\n  one\n  two\n\n  three\n", "a: >-\n  x\n    y\n  z\n",
    "a: |2\n   x\n  y\n", "a:\n- 1\n- 2\n", "a:\n  - b: 1\n    c: 2\n  - - 1\n    - 2\n", "- \n- a\n-\n", "a:\n\tb: 1\n", "a:\t1\n", "a: 'x\n\n  y'\n",
    "a: \"x\n  y\\\n  z\"\n", "a: b: c\n", "a: [1, 2\n", "a: {b: 1,}\n", "[1, 2,]\n", "{a, b: , c: 1}\n", "a: [b: 1, c]\n", "a: 'x\n",
    "a: \"\\q\"\n", "a: 1 # c\nb: 'x' #c\nc: x#y\n", "a: x y  z \n", " a: 1\n b: 2\n", "a: 1\n b: 2\n", "a:\n    b: 1\n  c: 2\n",
    "\ufeffa: 1\n", "a: \u00a0x\n", "a: x\u2028y\n", "a: \u0085\n", "a: \x07\n", "a: [a: b]\n", "{? a : b}\n", "[? a : b]\n", "a: {x: {y: {z: [1, {w: 2}]}}}\n",
    "model_list:\n  - model_name: a\n    litellm_params: {model: openai/x, rpm: 1_000, timeout: 1:30}\n",
    "on: push\noff: x\n", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2\r", "key with spaces: v w\n\"quoted key\": 1\n'': 2\n: 3\n", "a: -\n", "a: - 1\n", "-1: x\n",
    "a: [yes, no, 'yes', 0b1, 010, 1:0]\n", "? 1\n? 2\n", "!!set {a, b}\n", "!!binary aGk=\n", "!!omap [a: 1]\n", "'a': 1\n\"a\": 2\na: 3\n",
    "a: &a !!str 1\nb: *a\n", "a: !!str &a 1\nb: *a\n", "--- !!map\na: 1\n", "--- |\n text\n", "--- >\n t\n", "a: %x\n", "a: @x\n", "a: `x\n", "a: ,x\n", "a: ]\n",
]


class Maker:
    """A random document; most are valid, some are not."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.anchors = []

    def scalar(self):
        return self.random.choice(SCALARS).replace("\\ ", " ").replace("\\\n", "\\n")

    def key(self):
        if self.random.random() < 0.7:
            return self.random.choice(["a", "b", "c", "model", "api_base", "x-y"])
        return self.scalar()

    def flow(self, depth):
        kind = self.random.random()
        if depth == 0 or kind < 0.5:
            return self.scalar()
        if kind < 0.75:
            return "[" + ", ".join(self.flow(depth - 1) for _ in range(self.random.randrange(4))) + "]"
        pairs = (self.key() + ": " + self.flow(depth - 1) for _ in range(self.random.randrange(4)))
        return "{" + ", ".join(pairs) + "}"

    def value(self, depth, indent):
        """Text after "key:" or "-", with its newline."""
        kind = self.random.random()
        pad = " " * indent
        if self.anchors and kind < 0.06:
            return " *" + self.random.choice(self.anchors) + "\n"
        anchor = ""
        if kind < 0.2:
            name = "n%d" % len(self.anchors)
            anchor = " &" + name
            self.anchors.append(name)
        if depth == 0 or kind < 0.5:
            return anchor + " " + self.scalar() + self.random.choice(["", "", " # c"]) + "\n"
        if kind < 0.6:
            return anchor + " " + self.flow(2) + "\n"
        if kind < 0.66:
            style = self.random.choice(["|", "|-", "|+", ">", ">-", ">+"])
            lines = self.random.choices(["text", "  more", "", "last"], k=3)
            return anchor + " " + style + "\n" + "".join(pad + "  " + line + "\n" for line in ["first"] + lines)
        if kind < 0.85:
            return anchor + "\n" + self.mapping(depth - 1, indent + 2)
        return anchor + "\n" + "".join(
            pad + "  -" + self.value(depth - 1, indent + 2) for _ in range(self.random.randrange(1, 4)))

    def mapping(self, depth, indent):
        pad = " " * indent
        lines = []
        for _ in range(self.random.randrange(1, 5)):
            if self.anchors and self.random.random() < 0.15:
                lines.append(pad + "<<: *" + self.random.choice(self.anchors) + "\n")
            lines.append(pad + self.key() + ":" + self.value(depth, indent))
        return "".join(lines)

    def document(self):
        return self.mapping(3, 0)


def expected(text):
    """("ok", JSON text) or ("error", reason) as PyYAML sees it."""
    try:
        value = yaml.load(text, Loader)
        return "ok", json.dumps(value)
    except RecursionError:
        raise
    except Exception as error:  # PyYAML lets ValueError and KeyError of its constructors through
        return "error", "%s: %s" % (type(error).__name__, str(error).replace("\n", " "))


def same(ours, theirs):
    pairs = lambda items: [("key", k, v) for k, v in items]
    return repr(json.loads(ours, object_pairs_hook=pairs)) == repr(json.loads(theirs, object_pairs_hook=pairs))


def is_known(kind, theirs, ours):
    if kind == "error":
        return theirs.startswith(("ScannerError", "ParserError", "ReaderError"))
    known = ("found unexpected ':' (while scanning a plain scalar)", "is not supported here",
             "did not find expected ',' or ']' (while parsing a flow sequence)")
    return ours.startswith("error:") and any(text in ours for text in known)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dump", required=True, help="command that prints its last argument, a file, as one JSON line")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    documents = list(ODDITIES)
    documents += ["a: %s\n" % s for s in SCALARS] + ["%s: 1\n" % s for s in SCALARS]
    documents += ["[%s]\n" % s for s in SCALARS] + ["- %s\n" % s for s in SCALARS]
    documents += [Maker(options.seed * 1_000_003 + i).document() for i in range(options.count)]
    failures, refused, known = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, text in enumerate(documents):
            path = pathlib.Path(folder, "%05d.yaml" % i)
            path.write_bytes(text.encode())
            names.append(str(path))
        lines = []
        for name in names:
            run = subprocess.run(shlex.split(options.dump) + [name], capture_output=True, check=False)
            lines.append(run.stdout.decode().rstrip("\n"))
    for text, ours in zip(documents, lines):
        kind, theirs = expected(text.encode())
        refused += kind == "error"
        ours_failed = not ours or ours.startswith("error:")
        if ours_failed == (kind == "error") and (ours_failed or same(ours, theirs)):
            continue
        if is_known(kind, theirs, ours):
            known += 1
            continue
        failures += 1
        print("--- document\n%s\n--- PyYAML: %s %s\n--- ours:   %s\n" % (text, kind, theirs, ours))
    print("%d documents, %d refused by PyYAML, %d known differences, %d differences"
          % (len(documents), refused, known, failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
