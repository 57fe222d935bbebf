"""``metrics.jsonl`` while it is being written: new records only, half-written lines left for the next time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]
ANCHOR = 200  # bytes before the last position by which a file that was written anew is known


class Tail:
    """Reads a growing file of JSON lines from where it stopped; from the beginning where the file has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position, self.anchor = 0, b""
        self.records: list[Record] = []

    def read(self) -> list[Record]:
        """All records so far, whole lines alone."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(max(0, self.position - len(self.anchor)))
                if stream.read(len(self.anchor)) != self.anchor:  # a resumed run drops records
                    self.records, self.position, self.anchor = [], 0, b""
                    stream.seek(0)
                new = stream.read()
        except OSError:
            return self.records  # not begun, or being replaced
        whole = new[: new.rfind(b"\n") + 1]
        self.records += [record for line in whole.splitlines() if (record := _parse(line))]
        self.position += len(whole)
        self.anchor = (self.anchor + whole)[-ANCHOR:]
        return self.records


def _parse(line: bytes) -> Record | None:
    """A record, or None for a line that a killed run left half written and the next one wrote on."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and isinstance(record.get("step"), int) and "kind" in record
    return record if whole else None
