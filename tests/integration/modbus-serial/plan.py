"""The routine of modbus_serial_test.py, and what a controller's registers must hold while it is played: reckoned from the routine and
the envelope alone."""
import math
import re

NONE = 0xFFFF
COMMAND, BEAT, MASK, AREA, TECHNIQUE, INTENSITY, FREQUENCY, RAMP, LEFT = range(9)
CARRIAGE_TO, OUTPUTS, CLEAR = 0x0B, 0x0C, 0x1F
IDLE, START, PAUSE, STOP, SELF_TEST = range(5)
STATUS, ESTOP_BIT = 0x100, 1 << 3

ENVELOPE = {"intensity_max_pct": 24, "start_max_pct": 22, "ramp_max_pct_s": 0.8}

# JSON is YAML too. Below the envelope, at it (glutes), and above its ramp (calves); one side, the other, both; with rests.
ROUTINE = {
    "id": "by_the_peer", "title": "For a controller that is not ours", "classes": ["percussion"], "depth": "superficial",
    "order": "strict", "total_s": 22, "sides": ["left", "right"],
    "steps": [
        {"area": "calves", "technique": "percussion", "seconds": 5, "from_pct": 20, "to_pct": 24, "ramp_s": 4,
         "from_hz": 24, "to_hz": 28},
        {"area": "glutes", "technique": "knead", "sides": ["both"], "repeat": 2, "seconds": 2, "off_s": 1, "pct": 23, "hz": 1.5},
        {"area": "quads", "technique": "drum", "seconds": 3, "pct": 15, "hz": 5},
    ],
}

MASKS = {"left": 0b01, "right": 0b10, "both": 0b11}
GRAIN_S = 0.01


def numbers(source, kind):
    """The vocabulary's numbers, from the schema: {"calves": 10, ...}."""
    with open(f"{source}/proto/gymfleet.proto", encoding="utf-8") as file:
        return {name.lower(): int(number) for name, number in re.findall(rf"\b{kind}_([A-Z_]+) = (\d+);", file.read())}


def steps(routine):
    """The steps in their order, sides and repetitions one after the other."""
    for step in routine["steps"]:
        for side in step.get("sides", routine["sides"]):
            for _ in range(step.get("repeat", 1)):
                yield dict(step, side=side)
                if "off_s" in step:
                    yield dict(step, side=side, seconds=step["off_s"], pct=0, hz=0)


def ramped(step, unit, at_s):
    if unit in step:
        return step[unit]
    done = min(1, at_s / step["ramp_s"])
    return step[f"from_{unit}"] + (step[f"to_{unit}"] - step[f"from_{unit}"]) * done


class Plan:
    """What must be on, every GRAIN_S of the playing time."""

    def __init__(self, source):
        areas, techniques = numbers(source, "AREA"), numbers(source, "TECHNIQUE")
        self.moments, self.spots = [], []
        for step in steps(ROUTINE):
            spot = (areas[step["area"]], techniques[step["technique"]], MASKS[step["side"]])
            pct, same = 0, bool(self.spots) and self.spots[-1][:3] == spot
            for i in range(round(step["seconds"] / GRAIN_S)):
                at_s = i * GRAIN_S
                rising = (same or i > 0) and self.moments[-1]["pct"] > 0
                ceiling = pct + ENVELOPE["ramp_max_pct_s"] * GRAIN_S if rising else ENVELOPE["start_max_pct"]
                wanted = ramped(step, "pct", at_s)
                pct = min(wanted, ceiling, ENVELOPE["intensity_max_pct"])
                self.moments.append({"spot": spot, "wanted": wanted, "pct": pct, "hz": ramped(step, "hz", at_s),
                                     "left_s": step["seconds"] - at_s})
            self.spots.append(spot + (pct > 0,))
        self.seconds = len(self.moments) * GRAIN_S
        assert self.seconds == ROUTINE["total_s"]

    def around(self, at_s, slack_s):
        """The moments that `at_s` may stand for."""
        last = len(self.moments) - 1
        first = min(last, max(0, math.floor((at_s - slack_s) / GRAIN_S)))
        return self.moments[first:min(last, max(0, math.ceil((at_s + slack_s) / GRAIN_S))) + 1]

    def use(self):
        """Seconds under power by (area, technique, side), names as in the routine."""
        found = {}
        for step in steps(ROUTINE):
            if step.get("pct") != 0:
                key = (step["area"], step["technique"], step["side"])
                found[key] = found.get(key, 0) + step["seconds"]
        return found
