"""Runs one Python task. The protocol is that of javascript.cjs: LATTICE_SOURCE, LATTICE_INPUT, LATTICE_OUTPUT, LATTICE_FAULT;
without LATTICE_SOURCE it waits on stdin for one line of JSON that adds them to its environment.
Every task pays for what this file loads and for its being compiled, so what only some need is in python_faults.py, and of the
json module the half in C alone is used: the half in Python loads `re`, which takes as long as half an interpreter."""

import os
import sys

FAULTS = None


class Reading:
    """How JSON is read: what json.decoder.JSONDecoder says by default."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def read_json(text):
    try:
        from _json import make_scanner

        return make_scanner(Reading)(text, 0)[0]
    except Exception:
        # Another Python, another inside: its own json module knows it.
        import json

        return json.loads(text)


def refuse(value):
    raise TypeError(f"a {type(value).__name__}")


def json_text(value):
    try:
        from _json import encode_basestring_ascii, make_encoder

        encode = make_encoder({}, refuse, encode_basestring_ascii, None, ":", ",", False, False, False)
    except Exception:
        import json

        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return "".join(encode(value, 0))


def to_json(value):
    try:
        return json_text(value)
    except (TypeError, ValueError, RecursionError) as error:
        fail_with(*faults().of_value(value, error))


def write_whole(path, text):
    if os.path.exists(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".part", path)


def leave(code):
    """Ends now, as the task has: threads left over don't hold it back, but exit functions run and buffers are flushed."""
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    os._exit(code)


def faults():
    """The part that is needed when something has gone wrong: from the file beside this one, wherever the task has led sys.path."""
    global FAULTS
    if FAULTS is None:
        place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_faults.py")
        FAULTS = type(sys)("lattice_faults")
        with open(place, encoding="utf-8") as file:
            exec(compile(file.read(), place, "exec", dont_inherit=True), FAULTS.__dict__)
    return FAULTS


def fail_with(code, message, **more):
    write_whole(FAULT, faults().as_json(code, message, more))
    leave(1)


def load_main():
    module = type(sys)("task")
    module.__file__ = SOURCE
    sys.modules["task"] = module
    sys.path[0] = os.path.dirname(SOURCE)
    with open(SOURCE, encoding="utf-8") as file:
        exec(compile(file.read(), SOURCE, "exec", dont_inherit=True), module.__dict__)
    return getattr(module, "main", None)


def await_task():
    """Started ahead of its task: loads what tasks use most, then blocks until it is told the rest."""
    import json
    import traceback

    faults()
    to_json([1])
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(0, 65_536)
        if not chunk:
            os._exit(0)
        line += chunk
    os.environ.update(json.loads(line)["env"])
    with open(os.environ["LATTICE_FAULT"], "w", encoding="utf-8") as file:
        file.write("{}")


def run():
    global SOURCE, INPUT, OUTPUT, FAULT
    if "LATTICE_SOURCE" not in os.environ:
        await_task()
    SOURCE, INPUT, OUTPUT, FAULT = (os.environ["LATTICE_" + name] for name in ("SOURCE", "INPUT", "OUTPUT", "FAULT"))
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        main = load_main()
        if not callable(main):
            fail_with("task_failed", "the source must define a function main(input)")
        with open(INPUT, encoding="utf-8") as file:
            value = read_json(file.read())
        result = main(value)
        if hasattr(result, "__await__"):
            import asyncio

            async def awaited():
                return await result

            result = asyncio.run(awaited())
        text = to_json(result)
        write_whole(OUTPUT, text)
    except SystemExit:
        raise
    except BaseException as error:
        code, message, more = faults().of_error(error, SOURCE, __file__)
        fail_with(code, message, **more)
    leave(0)


if __name__ == "__main__":
    run()
