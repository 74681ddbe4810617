"""What a step leaves for the steps after it, and reads of those before it.

    write_step_output({"rows": 3})               # in the step `load`
    read_step_output("load")                     # in a step after it: {"rows": 3}; None when it left nothing
    write_step_output(table, "table")            # several, each by its name
    open(output_path("load", "plot.png"), "rb")  # files: what `load` put into the folder STOKER_OUTPUT_DIR

A step is named by its key or by its name. It reads only steps that come before it, and only those of its own run.
"""

import json
import os
import tempfile

__all__ = ["output_path", "read_step_output", "write_step_output"]

_readable = None


def _folder():
    folder = os.environ.get("STOKER_OUTPUT_DIR")
    if not folder and "STOKER_READABLE" in os.environ:
        raise RuntimeError(
            "This cluster keeps no outputs, so steps cannot pass data on: Stoker was started without --results-claim."
        )
    if not folder:
        raise RuntimeError("Outputs are kept for steps that Stoker runs, and this program runs without it.")
    return folder


def _checked(name):
    name = os.fspath(name)
    if not name or os.path.isabs(name) or ".." in name.split("/"):
        raise ValueError(f"{name!r} cannot name an output: give it a name such as 'output'.")
    return name


def _folder_of(step):
    """The folder of a step that comes before this one, by its key or its name."""
    global _readable
    if _readable is None:
        with open(os.environ["STOKER_READABLE"], encoding="utf-8") as file:
            _readable = json.load(file)
    for readable in _readable:
        if step == readable["key"]:
            return readable["folder"]
    for readable in _readable:
        if step == readable["name"]:
            return readable["folder"]
    there_are = ", ".join(readable["key"] for readable in _readable) or "none"
    raise ValueError(f"This step does not run after a step {step!r}. It can read those before it: {there_are}.")


def output_path(step, name):
    """The path of a file that an earlier step has put into its STOKER_OUTPUT_DIR. It need not be there."""
    _folder()
    return os.path.join(_folder_of(step), _checked(name))


def write_step_output(data, output_name="output"):
    """Leaves data for the steps after this one. It is kept as JSON."""
    name = _checked(output_name)
    text = json.dumps(data).encode()
    limit = int(os.environ.get("STOKER_OUTPUT_LIMIT", "0"))
    if limit and len(text) > limit:
        raise ValueError(
            f"The output {name!r} has {len(text):,} bytes of JSON; at most {limit:,} are kept. "
            "Put it into a file in the folder STOKER_OUTPUT_DIR instead."
        )
    path = os.path.join(_folder(), name + ".json")
    folder, file_name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    # Beside, and then in one move: whoever reads it finds all of it, or what was there before.
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{file_name}.", dir=folder)
    with open(descriptor, "wb") as file:
        file.write(text)
    os.chmod(unfinished, 0o644)
    os.replace(unfinished, path)


def read_step_output(step_id, output_name="output"):
    """What an earlier step has left; None when it left nothing of this name."""
    try:
        with open(output_path(step_id, output_name + ".json"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
