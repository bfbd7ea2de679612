# What the clients in Python share: scenarios print a line of JSON each.
import json
import sys

BOOTSTRAP = sys.argv[1]
BASE = int(sys.argv[2])


def emit(scenario, answer):
    """Prints what a scenario answered."""
    print(json.dumps({"scenario": scenario, "answer": answer}, default=str), flush=True)


def time(timestamp):
    """A timestamp as text: counted from the base, or `now` for what a clock said."""
    delta = timestamp - BASE
    if 10_000 < delta < 3_000_000:
        return "now"
    return f"base{delta:+d}" if abs(delta) < 8_000_000 else str(timestamp)


def text(value):
    """Bytes as text, long ones by their length."""
    if value is None:
        return None
    if len(value) > 60:
        return f"{len(value)} bytes, {value[:8]}"
    return value.decode()


def error(thrown):
    """An error by its class and what it says of codes."""
    code = getattr(thrown, "errno", None)
    if callable(getattr(thrown.args[0] if thrown.args else None, "name", None)):
        code = thrown.args[0].name()
    return {"error": type(thrown).__name__, "code": code}
