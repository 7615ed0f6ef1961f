"""Runs one Python task. The protocol is that of javascript.cjs: LATTICE_SOURCE, LATTICE_INPUT, LATTICE_OUTPUT, LATTICE_FAULT;
without LATTICE_SOURCE it waits on stdin for one line of JSON that adds them to its environment.
Tasks pay for what this file imports and, but for level seccomp, where it has been compiled, for its compiling: what only some need is in
python_rest.py. Of the json module the half in C alone is used: the half in Python loads `re`, which takes as long as half an interpreter."""

import os
import sys

REST = None


class Reading:
    """How JSON is read: what json.decoder.JSONDecoder says by default."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def rest():
    """The rest, from the file beside this one, wherever the task has led sys.path."""
    global REST
    if REST is None:
        place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_rest.py")
        REST = type(sys)("lattice_rest")
        REST.__file__ = place
        with open(place, encoding="utf-8") as file:
            exec(compile(file.read(), place, "exec", dont_inherit=True), REST.__dict__)
    return REST


def read_json(text):
    try:
        from _json import make_scanner

        return make_scanner(Reading)(text, 0)[0]
    except Exception:
        # Another Python, another inside.
        return rest().json.loads(text)


def to_json(value):
    try:
        from _json import encode_basestring_ascii, make_encoder

        encode = make_encoder({}, None, encode_basestring_ascii, None, ":", ",", False, False, False)
        return "".join(encode(value, 0))
    except Exception:
        return rest().to_json(value)


def write_whole(path, text):
    partial = path if os.path.exists(path) else path + ".part"
    with open(partial, "w", encoding="utf-8") as file:
        file.write(text)
    if partial != path:
        os.rename(partial, path)


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


def run():
    if "LATTICE_SOURCE" not in os.environ:
        to_json(1)
        rest().await_task()
    source, given, output, fault = (os.environ["LATTICE_" + name] for name in ("SOURCE", "INPUT", "OUTPUT", "FAULT"))
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        task = sys.modules["task"] = type(sys)("task")
        task.__file__ = source
        sys.path[0] = os.path.dirname(source)
        with open(source, encoding="utf-8") as file:
            exec(compile(file.read(), source, "exec", dont_inherit=True), task.__dict__)
        if not callable(getattr(task, "main", None)):
            raise rest().Fault("task_failed", "the source must define a function main(input)")
        with open(given, encoding="utf-8") as file:
            value = read_json(file.read())
        result = task.main(value)
        if hasattr(result, "__await__"):
            result = rest().awaited(result)
        write_whole(output, to_json(result))
    except SystemExit:
        raise
    except BaseException as error:
        write_whole(fault, rest().told(error, source, run.__code__.co_filename))
        leave(1)
    leave(0)


if __name__ == "__main__":
    run()
