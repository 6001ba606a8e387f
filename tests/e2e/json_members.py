#!/usr/bin/env python3
"""json_members.py - Whether JSON keeps to its schema, and what of it was seen

    json_members.py FOLDER judge
    json_members.py FOLDER unseen

FOLDER has for each command NAME.schema, and beside it what the command printed:
NAME.N.json, documents, and NAME.N.lines, rows of the document. The first says
where one of them is not what its schema says, has a member that the schema does
not have, or lacks one. The second prints each "Object.member" of the schemas
that came in none of them.
"""
import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

DEFS = "#/$defs/"
OPEN = {"Event"}  # has members that are listed elsewhere


class Schema:
    """Of one command. Its objects take no member that they do not list."""

    def __init__(self, path):
        self.root = json.loads(path.read_text())
        Draft202012Validator.check_schema(self.root)
        self.defs = self.root["$defs"]
        for name in self.defs.keys() - OPEN:
            self.defs[name]["additionalProperties"] = False

    def judge(self, part):
        return Draft202012Validator({**part, "$defs": self.defs})

    def members(self):
        return {f"{name}.{key}" for name, node in self.defs.items()
                for key in node["properties"]}

    def seen(self, part, value):
        """The members of a value that keeps to this part of the schema."""
        if "anyOf" in part:
            part = next(p for p in part["anyOf"]
                        if self.judge(p).is_valid(value))
        if "$ref" in part:
            name = part["$ref"][len(DEFS):]
            known = self.defs[name]["properties"]
            for key in value.keys() & known.keys():
                yield f"{name}.{key}"
                yield from self.seen(known[key], value[key])
        elif isinstance(value, list):
            for each in value:
                yield from self.seen(part["items"], each)


def outputs(folder):
    """The schema of each output, the part that is for it, and its values."""
    for path in sorted(folder.glob("*.schema")):
        schema = Schema(path)
        for out in folder.glob(f"{path.stem}.*.json"):
            yield schema, out, schema.root, [json.loads(out.read_text())]
        for out in folder.glob(f"{path.stem}.*.lines"):
            rows = [json.loads(s) for s in out.read_text().splitlines()]
            yield schema, out, schema.root.get("items", schema.root), rows


def main(folder, what):
    wanted = set()
    for schema, out, part, values in outputs(folder):
        judge = schema.judge(part)
        wanted |= schema.members()
        for value in values:
            for error in judge.iter_errors(value) if what == "judge" else ():
                print(f"{out.name}: {error.json_path}: {error.message}")
    if what == "unseen":
        for schema, _, part, values in outputs(folder):
            for value in values:
                wanted -= set(schema.seen(part, value))
        print("\n".join(sorted(wanted)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
