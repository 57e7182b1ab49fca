#!/usr/bin/env python3
"""The demo runs as the README says, and every command that the README shows prints what it shows: the same columns, the same keys.

usage: readme_test.py SOURCE_DIR BIN_DIR
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE, BIN = sys.argv[1], sys.argv[2]
SEVERITIES = ("ok", "attention", "critical", "doubtful", "broken")
READY, PATIENCE_S = "Ctrl-C ends it", 400
OFF = "chair-berlin-02"  # the README switches it off first
CHECKED = "roller-berlin-01"  # and this one before it is checked


def blocks(text):
    """(command, lines shown) of each console block. A command goes on in the next line as long as bash wants more of it, or the block
    begins with several that print nothing of their own."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        assert block.startswith("$ "), block
        command, *lines = block[2:].rstrip("\n").split("\n")
        while lines and (unfinished(command) or re.match(r"(gymfleet (catalog|rollout) [a-z]+ \S|done)", lines[0])):
            command += "\n" + lines.pop(0)
        yield command, lines


def unfinished(command):
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode != 0


def labels(lines):
    """What a line is about: its columns when it is a head line, the keys of JSON, else its first word; nothing of a line that begins with a
    number or a date, which differ from day to day."""
    for line in lines:
        words = line.split()
        if not words or words[0] in ("…", "→") or line.startswith("gymfleet: there are more than"):
            continue
        if line.startswith(("{", "[")):
            yield sorted(json.loads(line))
        elif len(words) > 2 and line.upper() == line and words[0].isalpha():
            yield words
        elif words[0] in SEVERITIES:
            yield words[1]
        elif not line[0].isdigit() and line[0] != " ":
            yield words[0]


def shown(lines):
    """Rows below a table's head differ from fleet to fleet."""
    found = list(labels(lines))
    return found[:1] if found and isinstance(found[0], list) else found


def check(command, lines, environment):
    run = subprocess.run(command, shell=True, executable="/bin/bash", cwd=SOURCE, env=environment, capture_output=True,
                         text=True, timeout=PATIENCE_S, check=False)
    problems = [f"exit status {run.returncode}: {run.stderr.strip()}"] if run.returncode != 0 else []
    printed = list(labels((run.stderr + run.stdout).split("\n")))
    lines = [line.replace("/tmp/gym", environment["GYM"]) for line in lines]
    problems += [f"nowhere printed: {label}" for label in shown(lines) if label not in printed]
    for problem in problems:
        print(f"$ {command}\n{problem}\n{run.stdout}")
    return not problems


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited in vain")
        time.sleep(0.1)


def processes(word):
    """The processes that name `word` on their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().decode(errors="replace")
        except OSError:
            continue
        if word in line and int(pid) != os.getpid():
            found.append(int(pid))
    return found


def switch_off(state, machine):
    agents = f"gymfleet-agent\0--config\0{state}/machines/{machine}/"
    for pid in processes(agents):
        os.kill(pid, signal.SIGTERM)
    until(lambda: not processes(agents))


def commands(state):
    with open(f"{SOURCE}/README.md", encoding="utf-8") as file:
        found = list(blocks(file.read()))
    assert len(found) > 8, "the README shows no commands any more"
    environment = dict(os.environ, GYM=state, GYMFLEET_SOCKET=f"{state}/gateway.sock",
                       PATH=f"{BIN}:{os.environ['PATH']}")
    walk = [block for block in found if "$GYM/v2" in block[0] or "gym@" in block[0]]
    failed = sum(not check(command, lines, environment) for command, lines in walk)
    found = [block for block in found if block not in walk]
    switch_off(state, OFF)
    until(lambda: '"online": 11' in subprocess.run(["gymfleet", "status", "-o", "json"], env=environment,
                                                   capture_output=True, text=True).stdout)
    for command, lines in found:
        if "--check" in command:
            switch_off(state, CHECKED)
        failed += not check(command, lines, environment)
    return failed


def main():
    folder = tempfile.mkdtemp(prefix="gf-readme-")
    state = f"{folder}/gym"
    log = open(f"{folder}/demo.log", "w+", encoding="utf-8")
    demo = subprocess.Popen(["deploy/demo", "--calm", "--state", state, "--bin", BIN, "--history", "7d"], cwd=SOURCE, stdout=log,
                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def said():
        log.seek(0)
        return log.read()

    failed = 1
    try:
        until(lambda: READY in said() or demo.poll() is not None)
        if demo.poll() is None:
            failed = commands(state)
        else:
            print(f"the demo ended\n{said()}")
    finally:
        demo.terminate()
        demo.wait(30)
        left = processes(state)
        shutil.rmtree(folder)
    if left:
        print(f"still running after the demo's end: {left}")
        failed += 1
    print("[  PASSED  ] 1 test(s)." if failed == 0 else "[  FAILED  ] 1 test(s), listed below:\nreadme")
    return 0 if failed == 0 else 1


sys.exit(main())
