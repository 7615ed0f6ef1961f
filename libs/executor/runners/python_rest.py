"""The rest of python.py: for tasks that fail, wait, or meet a Python that is not as expected."""

import json
import os
import traceback

MAX_MESSAGE = 4_000
MAX_FRAMES = 12


class Fault(Exception):
    """What the runner has to say of a task: a code and a message, without a place in its source."""


def await_task():
    """Started ahead of its task: blocks until it is told the rest."""
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(0, 65_536)
        if not chunk:
            os._exit(0)
        line += chunk
    os.environ.update(json.loads(line)["env"])
    # Says that the task was taken: should this process have ended before, another one may run it.
    with open(os.environ["LATTICE_FAULT"], "w", encoding="utf-8") as file:
        file.write("{}")


def awaited(result):
    import asyncio

    async def wait():
        return await result

    return asyncio.run(wait())


def told(error, source, runner):
    """The JSON of the fault that an exception stands for."""
    code, message, more = of_error(error, source, runner)
    return json.dumps({"code": code, "message": message[:MAX_MESSAGE], **more})


def of_error(error, source, runner):
    if isinstance(error, Fault):
        return *error.args, {}
    # Only frames of the task.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in (runner, __file__)]
    text = "".join(traceback.format_list(frames[-MAX_FRAMES:]) + traceback.format_exception_only(error))
    text = text.replace(os.path.dirname(source) + os.sep, "")
    name = type(error).__name__
    more = {"retryable": False} if getattr(error, "retryable", None) is False else {}
    code = "out_of_memory" if isinstance(error, MemoryError) else "task_failed"
    message = str(error) or ("memory could not be allocated" if code == "out_of_memory" else name)
    own = getattr(error, "code", None)
    details = {"name": name, "stack": text[-MAX_MESSAGE:], **({"code": own} if isinstance(own, str) else {})}
    return code, message, {"details": details, **more}


def to_json(value):
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        try:
            place = place_of_fault(value, "$", frozenset())
        except RecursionError:
            place = "$ is nested too deeply"
        raise Fault("output_not_json", f"the output is not JSON: {place or error}")


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
