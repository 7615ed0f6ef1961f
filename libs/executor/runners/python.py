"""Runs one Python task. The protocol is that of javascript.cjs: LATTICE_SOURCE, LATTICE_INPUT, LATTICE_OUTPUT, LATTICE_FAULT;
without LATTICE_SOURCE it waits on stdin for one line of JSON that adds them to its environment."""

import json
import os
import sys

MAX_MESSAGE = 4_000
MAX_FRAMES = 12


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


def fail_with(code, message, **more):
    write_whole(FAULT, json.dumps({"code": code, "message": message[:MAX_MESSAGE], **more}))
    leave(1)


def failed(error):
    import traceback

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    text = "".join(traceback.format_list(frames[-MAX_FRAMES:]) + traceback.format_exception_only(error))
    text = text.replace(os.path.dirname(SOURCE) + os.sep, "")
    name = type(error).__name__
    more = {"retryable": False} if getattr(error, "retryable", None) is False else {}
    code = "out_of_memory" if isinstance(error, MemoryError) else "task_failed"
    message = str(error) or ("memory could not be allocated" if code == "out_of_memory" else name)
    fail_with(code, message, details={"name": name, "stack": text[-MAX_MESSAGE:]}, **more)


def place_of_fault(value, path, open_ids):
    """The path of the first thing that is not JSON, with what it is; None when all is well."""
    if value is None or isinstance(value, (str, bool, int)):
        return None
    if isinstance(value, float):
        return None if value == value and abs(value) != float("inf") else f"{path} is {value}, which JSON does not have"
    if not isinstance(value, (dict, list, tuple)):
        return f"{path} is a {type(value).__name__}"
    if id(value) in open_ids:
        return f"{path} refers back to an object that contains it"
    inside = open_ids | {id(value)}
    if isinstance(value, dict):
        for key, item in value.items():
            if not (key is None or isinstance(key, (str, bool, int, float))):
                return f"{path} has a key that is a {type(key).__name__}"
            name = f"{path}.{key}" if str(key).isidentifier() else f"{path}[{json.dumps(str(key))}]"
            fault = place_of_fault(item, name, inside)
            if fault is not None:
                return fault
        return None
    for index, item in enumerate(value):
        fault = place_of_fault(item, f"{path}[{index}]", inside)
        if fault is not None:
            return fault
    return None


def to_json(value):
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        try:
            place = place_of_fault(value, "$", frozenset())
        except RecursionError:
            place = "$ is nested too deeply"
        fail_with("output_not_json", f"the output is not JSON: {place or error}")


def load_main():
    import types

    module = types.ModuleType("task")
    module.__file__ = SOURCE
    sys.modules["task"] = module
    sys.path[0] = os.path.dirname(SOURCE)
    with open(SOURCE, encoding="utf-8") as file:
        exec(compile(file.read(), SOURCE, "exec", dont_inherit=True), module.__dict__)
    return getattr(module, "main", None)


def await_task():
    """Started ahead of its task: loads what any task needs, then blocks until it is told the rest."""
    import traceback
    import types

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
            value = json.load(file)
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
        failed(error)
    leave(0)


if __name__ == "__main__":
    run()
