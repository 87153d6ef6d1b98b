# SPDX-License-Identifier: Apache-2.0
"""Where in an answer the state of an application is. Also a program, for large answers.

The program gets an answer as its input and tells the place, or what is wrong. It imports nothing of this project, so
that it starts quickly.
"""

import sys

import msgspec


class _Wrapped(msgspec.Struct, forbid_unknown_fields=True):
    state: msgspec.Raw


class NotJson(ValueError):
    """The answer is no JSON. The message says why."""


def place(body: bytes) -> tuple[int, int]:
    """Where the state begins and ends. Raises NotJson.

    An answer `{"state": …}` without other members holds the state; any other answer is the state itself.
    """
    try:
        body.decode()  # which what follows does not look at in strings that it passes over
        size = len(memoryview(msgspec.json.decode(body, type=_Wrapped).state))
        end = len(body.rstrip()[:-1].rstrip())
        return end - size, end
    except msgspec.ValidationError:
        pass  # JSON of another form, so far
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise NotJson(str(exc)) from exc
    try:
        size = len(memoryview(msgspec.json.decode(body, type=msgspec.Raw)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise NotJson(str(exc)) from exc
    begin = len(body) - len(body.lstrip())
    return begin, begin + size


def main() -> None:
    """Answers with the place as `begin end`, or with one line that says what is wrong."""
    try:
        print(*place(sys.stdin.buffer.read()))
    except NotJson as exc:
        print(f"not JSON: {exc}")


if __name__ == "__main__":
    main()
