#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
Manifests as JSON, for jq: an array of objects.

    manifests.py objects FILE...
    manifests.py chart DIRECTORY [KEY.KEY=VALUE...]

"chart" does what "helm template" does with values of one's own (--set), for as
much of the language of templates as our chart has: .Values and the like, with
and end; pipes of toYaml, nindent, quote, default and required. Anything else is
an error. Values are held against values.schema.json first.
"""
import json
import re
import sys

import jsonschema
import yaml

ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.S)
WORD = re.compile(r'"[^"]*"|[^\s|]+')


def objects(text):
    return [thing for thing in yaml.safe_load_all(text) if thing]


def to_yaml(value):
    return yaml.safe_dump(value, default_flow_style=False).rstrip("\n")


def nindent(width, value):
    return "\n" + "\n".join(" " * int(width) + line if line else line
                            for line in value.split("\n"))


def required(message, value):
    if value in (None, ""):
        sys.exit("manifests.py: " + message)
    return value


FUNCTIONS = {
    "toYaml": to_yaml,
    "nindent": nindent,
    "quote": lambda value: json.dumps(str(value)),
    "default": lambda other, value: value if value else other,
    "required": required,
}


def tokens(text):
    """Text and actions in turn, white space trimmed where "-" says so."""
    end, trims = 0, ""
    for found in ACTION.finditer(text):
        piece = text[end:found.start()]
        piece = piece.lstrip() if trims else piece
        yield piece.rstrip() if found[1] else piece, None
        yield None, found[2]
        end, trims = found.end(), found[3]
    yield text[end:].lstrip() if trims else text[end:], None


def lookup(path, dot, top):
    if path.startswith('"'):
        return path[1:-1]
    if path == ".":
        return dot
    if re.fullmatch(r"\d+", path):
        return int(path)
    if not re.match(r"\$?\.", path):
        sys.exit(f"manifests.py: what is {path!r} in a template?")
    value = top if path.startswith("$") else dot
    for name in path.lstrip("$")[1:].split("."):
        value = (value or {}).get(name)
    return value


def evaluate(pipe, dot, top):
    """Each call but the first has what comes out of the pipe as its last
    argument."""
    value = None
    for number, call in enumerate(pipe.split(" | ")):
        word, *others = WORD.findall(call)
        if word in FUNCTIONS:
            arguments = [lookup(other, dot, top) for other in others]
            value = FUNCTIONS[word](*arguments, *[value] * (number > 0))
        else:
            value = lookup(word, dot, top)
    return value


def render(text, top):
    out, dots = [], [top]       # None: of a block that does not count
    for piece, action in tokens(text):
        dot = dots[-1]
        if action is None:
            out.append(piece if dot is not None else "")
        elif action.startswith("with "):
            dots.append(dot and evaluate(action[5:], dot, top) or None)
        elif action == "end":
            dots.pop()
        elif dot is not None:
            out.append(str(evaluate(action, dot, top)))
    return "".join(out)


def set_value(values, option):
    path, _, text = option.partition("=")
    *parents, last = path.split(".")
    for name in parents:
        values = values.setdefault(name, {})
    values[last] = yaml.safe_load(text)


def chart(directory, options):
    def read(name):
        with open(f"{directory}/{name}") as file:
            return file.read()

    about = yaml.safe_load(read("Chart.yaml"))
    values = yaml.safe_load(read("values.yaml"))
    for option in options:
        set_value(values, option)
    jsonschema.validate(values, json.loads(read("values.schema.json")))
    top = {
        "Values": values,
        "Release": {"Name": "fairlead", "Namespace": "kube-system"},
        "Chart": {"Name": about["name"], "AppVersion": about["appVersion"]},
    }
    found = []
    for name in ("configmap", "rbac", "daemonset"):
        found += objects(render(read(f"templates/{name}.yaml"), top))
    render(read("templates/NOTES.txt"), top)
    return found


def main():
    what, *arguments = sys.argv[1:]
    if what == "chart":
        found = chart(arguments[0], arguments[1:])
    else:
        found = []
        for name in arguments:
            with open(name) as file:
                found += objects(file.read())
    json.dump(found, sys.stdout, indent=1)


main()
