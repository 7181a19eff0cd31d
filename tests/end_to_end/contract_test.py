#!/usr/bin/env python3
"""Replays tests/data/socket.jsonl against the real daemon: the local socket by example.

Every case is sent in its order on one connection to a fresh daemon with one carrier and a default
route. A reply must contain what `expect` names: "*" is any non-empty value, objects nest by the
same rule, arrays match element by element and in length.
"""

import json
import os
import sys

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

CASES = os.path.join(under_test.REPOSITORY, "tests", "data", "socket.jsonl")

# Cases by name that wait for a part of the daemon which is not built yet. A case here that passes
# fails the test, so that none is forgotten.
NOT_YET = ()


def differences(expected, actual, where="reply"):
    """What is wrong with `actual`, a line each."""
    if expected == "*":
        return [] if actual not in (None, "", [], {}) else [f"{where}: nothing there"]
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return [f"{where}: expected an object, got {json.dumps(actual, ensure_ascii=False)}"]
        found = []
        for key, value in expected.items():
            if key not in actual:
                found.append(f"{where}.{key}: missing")
            else:
                found += differences(value, actual[key], f"{where}.{key}")
        return found
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{where}: expected {len(expected)} elements, got "
                    f"{json.dumps(actual, ensure_ascii=False)}"]
        return [d for i, (e, a) in enumerate(zip(expected, actual))
                for d in differences(e, a, f"{where}[{i}]")]
    if expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        return [f"{where}: expected {json.dumps(expected, ensure_ascii=False)}, got "
                f"{json.dumps(actual, ensure_ascii=False)}"]
    return []


def main():
    under_test.begin(__doc__.splitlines()[0])
    with open(CASES, encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines if line.strip()]

    carrier = ScriptedCarrier()
    daemon = under_test.Daemon([under_test.carrier("north", carrier.address)])
    daemon.start()
    failed, waiting = 0, 0
    with daemon.connect() as connection:
        for case in cases:
            connection.write(case["send"].encode("utf-8") + b"\n")
            line = connection.read_line()
            if line is None:
                print(f"not ok - {case['name']}: the daemon hung up\n{daemon.log_tail()}")
                return 1
            wrong = differences(case["expect"], json.loads(line))
            if case["name"] in NOT_YET:
                waiting += 1
                if not wrong:
                    failed += 1
                    print(f"not ok - {case['name']}: passes now; take it off NOT_YET")
            elif wrong:
                failed += 1
                print(f"not ok - {case['name']}\n  sent  {case['send'][:300]}\n"
                      f"  reply {line.decode('utf-8')[:600]}")
                for difference in wrong:
                    print(f"  {difference}")
            else:
                print(f"ok - {case['name']}")
    status = daemon.stop()
    if status != 0:
        failed += 1
        print(f"not ok - the daemon ends with 0 on SIGTERM: {status}\n{daemon.log_tail()}")
    print(f"{len(cases)} cases: {failed} failed, {waiting} not built yet")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
