#!/usr/bin/env python3
"""Training on a file of many gigabytes: makes it of articles that come again and again, each time under another id;
trains on the first 100 MB of it and on all of it; fails where the second needs a quarter more memory. Too large for
tests/run.sh.

    tests/large.py [--gigabytes 10] [--rasid target/release/rasid] [--file target/large.jsonl] [ARTICLES.jsonl ...]

ARTICLES have `text` and `topic` or `topics` (default: the examples of this repository). The file is removed at the end.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRST = 100_000_000


def read(sources):
    """The articles without their ids, and the topics that occur."""
    lines = [line for source in sources for line in source.read_text(encoding="utf-8").splitlines() if line.strip()]
    articles = [json.loads(line) for line in lines]
    topics = {topic for article in articles for topic in article.get("topics") or [article.get("topic")] if topic}
    rest = [{field: value for field, value in article.items() if field != "id"} for article in articles]
    return [b", " + json.dumps(article, ensure_ascii=False).encode()[1:] + b"\n" for article in rest], sorted(topics)


def make(without_id, path, size):
    """Fills `path` to `size` bytes; returns how many articles that are."""
    number = written = 0
    with path.open("wb") as file:
        while written < size:
            for rest in without_id:
                written += file.write(b'{"id": "%d"' % number + rest)
                number += 1
                if written >= size:
                    break
    return number


def train(rasid, path, labels, out):
    """Seconds, processor seconds and peak MB of one training."""
    start = time.monotonic()
    command = [rasid, "train", "--examples", path, "--labels", labels, "--out", out]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command}: exit code {process.returncode}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", nargs="*", type=Path, default=sorted(ROOT.glob("models/examples/*/*.jsonl")))
    parser.add_argument("--make", type=int, metavar="BYTES", help="only make the file, of so many bytes")
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--rasid", default=ROOT / "target/release/rasid")
    parser.add_argument("--file", type=Path, default=ROOT / "target/large.jsonl")
    arguments = parser.parse_args()
    labels, out = (Path(f"{arguments.file}.{kind}") for kind in ("labels.json", "safetensors"))
    if arguments.make:
        articles, topics = read(arguments.articles)
        labels.write_text(json.dumps({"topics": [{"code": topic} for topic in topics]}))
        print(make(articles, arguments.file, arguments.make))
        return
    peaks = []
    print("| bytes | articles | seconds | CPU-s | peak MB |\n|---|---|---|---|---|")
    try:
        for size in (FIRST, int(arguments.gigabytes * 1e9)):
            # a process of its own: what this one holds when it starts the training counts to its peak
            command = [sys.executable, __file__, "--make", str(size), "--file", arguments.file, *arguments.articles]
            number = int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            seconds, processor, peak = train(arguments.rasid, arguments.file, labels, out)
            print(f"| {size:,} | {number:,} | {seconds:.0f} | {processor:.0f} | {peak:.0f} |", flush=True)
            peaks.append(peak)
    finally:
        for path in (arguments.file, labels, out):
            path.unlink(missing_ok=True)
    if peaks[1] > 1.25 * peaks[0]:
        sys.exit(f"memory grows with the file: {peaks}")


if __name__ == "__main__":
    main()
