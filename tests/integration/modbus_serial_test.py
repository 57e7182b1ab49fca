#!/usr/bin/env python3
"""gymfleet-agent drives a controller that shares no code with it: Modbus by the npm package modbus-serial, the register map read anew
(modbus-serial/slave.js). All that the controller is told while a routine plays is held against the routine's own plan
(modbus-serial/plan.py); then buttons, the emergency stop, and a controller that dies or isn't the right one.

usage: modbus_serial_test.py SOURCE_DIR BIN_DIR PACKAGES_DIR tcp|rtu
"""
import os
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "modbus-serial"))
from plan import (AREA, BEAT, CARRIAGE_TO, COMMAND, ENVELOPE, ESTOP_BIT, FREQUENCY, GRAIN_S, IDLE, INTENSITY, LEFT, MASK,  # noqa: E402
                  NONE, PAUSE, RAMP, ROUTINE, SELF_TEST, START, STATUS, STOP, TECHNIQUE)
from world import BAUD, DEAD_MAN_MS, PATIENCE_S, Slave, World, free_port, until  # noqa: E402

WIRE = sys.argv[4]
# How late a register may be: a cycle of the bus, and a tick.
SLACK_S = {"tcp": 0.15, "rtu": 0.3}[WIRE]
ROUNDING = 0.011  # the plan has a grain
BREAKS_MAX = {"tcp": 1, "rtu": 3}[WIRE]


class Played:
    """A session by the controller's log: what stood in the registers, from when to when, and where in the routine that was."""

    def __init__(self, states):
        self.spans, playing_s, breaks = [], 0.0, -1
        for (t, registers), (end, _) in zip(states, states[1:]):
            if registers[COMMAND] == START:
                if not self.spans or self.spans[-1]["end"] != t:
                    breaks += 1  # the bus was slow once: paused, and begun low again
                self.spans.append({"t": t, "end": end, "at_s": playing_s, "breaks": breaks,
                                   "slack_s": SLACK_S * (1 + breaks), "is": registers})
                playing_s += end - t
        self.commands = runs(registers[COMMAND] for _, registers in states)
        self.states, self.breaks, self.slack_s = states, breaks, SLACK_S * (1 + breaks)
        assert breaks <= BREAKS_MAX, f"paused {breaks} times: the bus is too slow"


def runs(values):
    """Without what is the same as the one before."""
    found = []
    for value in values:
        if not found or found[-1] != value:
            found.append(value)
    return found


def under_power(registers):
    return registers[COMMAND] == START and registers[MASK] != 0 and registers[INTENSITY] > 0


# --- a whole routine --------------------------------------------------------------------------------------------------

def a_routine_is_played_to_its_end(w):
    asked_at = w.request()
    w.session = w.ended(1)
    assert w.session["outcome"] == "completed" and w.session["routine"] == ROUTINE["id"], w.session
    assert abs(w.session["duration_s"] - w.session["paused_s"] - ROUTINE["total_s"]) < 1, w.session
    until("idle", lambda: w.slave.registers()[COMMAND] == IDLE)
    w.played = Played(w.slave.states(since=asked_at))
    w.told = w.slave.events(since=asked_at)


def commands_come_in_their_order(w):
    before, *while_playing, after = "".join(map(str, w.played.commands)).split(str(START))
    assert before == str(IDLE) and after in (f"{STOP}{IDLE}", f"{IDLE}"), w.played.commands
    assert len(while_playing) == w.played.breaks and not set("".join(while_playing)) - {str(PAUSE), str(STOP)}, w.played.commands
    assert SELF_TEST in [r[COMMAND] for _, r in w.slave.states()], "it was never told to test itself"


def steps_come_in_their_order_on_their_sides(w):
    spots = runs((s["is"][AREA], s["is"][TECHNIQUE], s["is"][MASK], under_power(s["is"])) for s in w.played.spans)
    assert spots == w.plan.spots, (spots, w.plan.spots)
    for span in w.played.spans:
        spot = (span["is"][AREA], span["is"][TECHNIQUE], span["is"][MASK])
        assert spot in [m["spot"] for m in w.plan.around(span["at_s"], span["slack_s"])], span


def check_amount(w, register, unit):
    """Tenths, rounded down: as the plan has it when it is written, and never more than that while it stands."""
    for span in w.played.spans:
        value = span["is"][register] / 10
        due = [m[unit] for m in w.plan.around(span["at_s"], span["slack_s"])]
        least = min(due) if span["breaks"] == 0 else min(due + [ENVELOPE["start_max_pct"]])
        assert least - 0.1 - ROUNDING <= value <= max(due) + ROUNDING, (span, least, max(due))
        later = [m[unit] for m in w.plan.around(span["at_s"] + span["end"] - span["t"], span["slack_s"])]
        assert value <= max(due + later) + ROUNDING, (span, max(later))


def i3_intensity_is_the_plan_within_the_envelope(w):
    check_amount(w, INTENSITY, "pct")
    most = max(s["is"][INTENSITY] for s in w.played.spans) / 10
    assert most <= ENVELOPE["intensity_max_pct"] and abs(most - max(m["pct"] for m in w.plan.moments)) <= 0.15, most
    assert any(m["wanted"] > m["pct"] for m in w.plan.moments), "the routine doesn't reach the envelope"


def frequency_is_the_plan(w):
    check_amount(w, FREQUENCY, "hz")


def i3_the_ramp_is_the_envelopes(w):
    assert {s["is"][RAMP] for s in w.played.spans} == {round(ENVELOPE["ramp_max_pct_s"] * 10)}


def seconds_left_count_down(w):
    before = None
    for span in w.played.spans:
        due = {-int(-m["left_s"] // 1) or 1 for m in w.plan.around(span["at_s"], span["slack_s"])}
        due = {1} if DEAD_MAN_MS[WIRE] == 0 else due
        assert span["is"][LEFT] in due, (span, due)
        spot = span["is"][AREA:TECHNIQUE + 1] + [span["is"][MASK], under_power(span["is"])]
        assert before is None or before[0] != spot or span["is"][LEFT] <= before[1], span
        before = spot, span["is"][LEFT]


def rests_between_steps_are_without_power(w):
    rests = runs((s["is"][AREA], under_power(s["is"])) for s in w.played.spans)
    off_s = sum(s["end"] - s["t"] for s in w.played.spans if not under_power(s["is"]))
    planned = sum(GRAIN_S for m in w.plan.moments if m["pct"] == 0)
    assert len([r for r in rests if not r[1]]) == 2, rests
    assert abs(off_s - planned) <= 2 * w.played.slack_s, (off_s, planned)


def heartbeat_rises_steadily(w):
    beats = [(w.played.states[0][0], w.played.states[0][1][BEAT])]
    for t, registers in w.played.states:
        if registers[BEAT] != beats[-1][1]:
            assert (registers[BEAT] - beats[-1][1]) % 0x10000 <= 3, (beats[-1], registers)
            beats.append((t, registers[BEAT]))
    gaps = [after[0] - before[0] for before, after in zip(beats, beats[1:])]
    assert len(gaps) / sum(gaps) >= 5, "fewer than five a second"
    assert max(gaps) < 0.8, max(gaps)


def the_controller_is_asked_all_the_time(w):
    asked = [e["t"] for e in w.told if e.get("read") == STATUS]
    assert len(asked) / (asked[-1] - asked[0]) >= 5, "fewer than five a second"
    assert max(after - before for before, after in zip(asked, asked[1:])) < 0.8


def all_is_zero_at_the_end(w):
    last = w.played.spans[-1]["end"]
    for t, registers in w.played.states:
        if t > last + SLACK_S:
            assert registers[COMMAND] in (STOP, IDLE) and not any(registers[MASK:CARRIAGE_TO]), (t, registers)
    assert registers[COMMAND] == IDLE and registers[CARRIAGE_TO] == NONE, registers


def the_stored_session_agrees_with_the_log(w):
    logged = {}
    for span in w.played.spans:
        if under_power(span["is"]):
            spot = tuple(span["is"][i] for i in (AREA, TECHNIQUE, MASK))
            logged[spot] = logged.get(spot, 0) + span["end"] - span["t"]
    stored = {(a["area"], a["technique"], a["side"]): a["seconds"] for a in w.session["areas"]}
    assert list(stored) == list(w.plan.use()), (stored, w.plan.use())
    for (key, planned), (spot, seconds) in zip(w.plan.use().items(), logged.items()):
        assert abs(stored[key] - planned) < 0.2 and abs(stored[key] - seconds) <= 2 * w.played.slack_s, (key, spot, stored[key], seconds)
    for area, spot in zip(w.session["areas"], logged):
        most = max(m["pct"] for m in w.plan.moments if m["spot"] == spot)
        assert area["max_intensity_pct"] <= most + ROUNDING and (w.played.breaks or area["max_intensity_pct"] > most - 0.1), (area, most)
    motor_s = sum(stored.values())
    assert abs(w.session["motor_s"] - motor_s) <= 2, (w.session["motor_s"], motor_s)
    assert 22 < w.session["peak_motor_temp_c"] < 30 and 400 < w.session["peak_current_ma"] < 700, w.session


def the_line_is_as_it_was_asked_for(w):
    """Speed and checksums. A pseudo-terminal has no parity."""
    settings = subprocess.run(["stty", "-F", w.master_end, "-a"], capture_output=True, text=True, check=True).stdout
    assert f"speed {BAUD} baud" in settings and " cs8" in settings and "-cstopb" in settings and "-icanon" in settings, settings
    requests = w.line_says()[1:]
    assert len(requests) > 100 and set(requests) == {"request"}, set(requests)


# --- buttons, trouble -------------------------------------------------------------------------------------------------

def pause_and_stop_buttons_work(w):
    asked_at = w.request()
    w.slave.tell("press pause")
    until("paused", lambda: w.slave.registers()[COMMAND] == PAUSE)
    assert not any(w.slave.registers()[MASK:CARRIAGE_TO]), w.slave.registers()
    w.slave.tell("press pause")
    until("goes on", lambda: under_power(w.slave.registers()))
    pressed_at = w.slave.tell("press stop")
    assert w.ended(2)["outcome"] == "user_stopped"
    states = w.slave.states(since=pressed_at)
    assert states[-1][0] >= pressed_at and [t for t, r in states if r[COMMAND] == START][-1] < pressed_at + SLACK_S
    assert runs(r[COMMAND] for _, r in w.slave.states(since=asked_at)) in (
        [IDLE, START, PAUSE, START, STOP, IDLE], [IDLE, START, PAUSE, START, IDLE])


def a_controller_that_dies_ends_the_session(w):
    w.request()
    w.slave.kill()
    assert w.ended(3)["outcome"] == "fault_stopped"
    until("comms_lost is told", lambda: w.faults("comms_lost"))


def a_controller_that_is_back_plays_again(w):
    w.slave.start()
    until("comms_lost is over", lambda: all(f["cleared"] for f in w.faults("comms_lost")))
    assert not under_power(w.slave.registers()), "it started by itself"
    w.request()
    until("it plays", lambda: under_power(w.slave.registers()))


def i4_the_first_write_after_the_estop_is_a_stop(w):
    told_at = w.slave.tell("estop on")
    assert w.ended(4)["outcome"] == "fault_stopped"
    events = w.slave.events(since=told_at)
    seen = next(i for i, e in enumerate(events) if e.get("read") == STATUS and e["status"] & ESTOP_BIT)
    first = next(e for e in events[seen:] if "write" in e)
    assert first["write"] == COMMAND and first["values"][0] == STOP, first
    assert first["t"] - events[seen]["t"] < 0.1, (events[seen], first)
    assert not any(e["values"][0] == START for e in events[seen:] if e.get("write") == COMMAND)
    until("the emergency stop is told", lambda: w.faults("estop"))
    w.slave.tell("estop off")
    until("the emergency stop is over", lambda: all(f["cleared"] for f in w.faults("estop")))
    assert w.slave.registers()[COMMAND] == IDLE, w.slave.registers()


def check_refused(w, name, option, value, words):
    port = free_port()
    slave = Slave(w, name, "--tcp", str(port), option, value)
    agent = w.spawn(f"{name}-agent", f"{w.programs}/gymfleet-agent", "--config",
                    w.agent_config(f"{name}-agent", {"host": "127.0.0.1", "port": port}))
    assert agent.wait(PATIENCE_S) == 1
    with open(f"{w.folder}/{name}-agent.log", encoding="utf-8") as log:
        said = log.read()
    assert words in said, said
    assert all(registers[COMMAND] == STOP for _, registers in slave.states()), "told more than to stop"
    slave.kill()


def another_map_version_is_refused(w):
    check_refused(w, "newer", "--version", "2", "has register map version 2, this agent knows 1; update gymfleet-agent")


def another_class_is_refused(w):
    check_refused(w, "chair", "--class", "4", "says it is a chair (class 4), agent.yaml says class percussion; mend `class`")


def the_audit_is_clean(w):
    until("clean", lambda: (w.ask("audit") or {}).get("clean"))
    for program in (w.agent, w.gateway):
        program.terminate()
        assert program.wait(PATIENCE_S) == 0


ROUTINE_TESTS = [
    a_routine_is_played_to_its_end, commands_come_in_their_order, steps_come_in_their_order_on_their_sides,
    i3_intensity_is_the_plan_within_the_envelope, frequency_is_the_plan, i3_the_ramp_is_the_envelopes, seconds_left_count_down,
    rests_between_steps_are_without_power, heartbeat_rises_steadily, the_controller_is_asked_all_the_time,
    all_is_zero_at_the_end, the_stored_session_agrees_with_the_log,
]
TESTS = {
    "tcp": ROUTINE_TESTS + [
        pause_and_stop_buttons_work, a_controller_that_dies_ends_the_session, a_controller_that_is_back_plays_again,
        i4_the_first_write_after_the_estop_is_a_stop, another_map_version_is_refused, another_class_is_refused,
        the_audit_is_clean,
    ],
    "rtu": ROUTINE_TESTS + [the_line_is_as_it_was_asked_for, the_audit_is_clean],
}[WIRE]


def passes(test, world):
    print(f"[ RUN      ] {test.__name__}", flush=True)
    try:
        test(world)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        with open(f"{world.folder}/agent.log", encoding="utf-8") as log:
            print(f"[  FAILED  ] {test.__name__}; the agent said:\n{log.read()}", flush=True)
        return False
    print(f"[       OK ] {test.__name__}", flush=True)
    return True


def main():
    world, count = World(*sys.argv[1:]), 0
    try:
        world.start_fleet()
        world.start_machine()
        # Each goes on where the one before it ended.
        while count < len(TESTS) and passes(TESTS[count], world):
            count += 1
    finally:
        world.close()
    print(f"[  PASSED  ] {count} test(s).")
    if count < len(TESTS):
        print(f"[  FAILED  ] 1 test(s), listed below:\n{TESTS[count].__name__}")
    return 0 if count == len(TESTS) else 1


sys.exit(main())
