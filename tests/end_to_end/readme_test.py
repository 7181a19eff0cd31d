#!/usr/bin/env python3
"""Runs the README's examples as they stand there, against the real daemon: readme_test.py LANGUAGE.

Only the socket's path is replaced. C# has no compiler among Debian's packages and is left out.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

README = os.path.join(under_test.REPOSITORY, "README.md")
INSTALLED_AT = "/run/stentor/stentor.sock"

INTERPRETERS = {"sh": ("nc", ["sh"], ""), "python": ("python3", ["python3"], ""),
                "php": ("php", ["php"], "<?php\n")}


def main():
    arguments, _ = under_test.begin(
        __doc__.splitlines()[0],
        lambda parser: parser.add_argument("language", choices=sorted(INTERPRETERS)))
    tool, command, prologue = INTERPRETERS[arguments.language]
    if not shutil.which(tool):
        under_test.skip(f"{tool} is not installed")
    with open(README, encoding="utf-8") as readme:
        examples = [code for code in re.findall(rf"```{arguments.language}\n(.*?)```",
                                                readme.read(), re.DOTALL) if INSTALLED_AT in code]
    assert examples, f"README.md has no example in {arguments.language}"

    carrier = ScriptedCarrier()
    daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
    for example in examples:
        done = subprocess.run(command, text=True, capture_output=True, timeout=under_test.PATIENCE,
                              input=prologue + example.replace(INSTALLED_AT, daemon.socket_path),
                              check=False)
        assert done.returncode == 0, done.stderr
        reply = json.loads(done.stdout)
        assert reply["status"] == "accepted", reply
        under_test.wait_until(lambda: carrier.arrived("79161234567"), "it reaches the carrier")
    assert daemon.stop() == 0, daemon.log_tail()
    carrier.close()
    print(f"{len(examples)} example in {arguments.language} works as written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
