"""What modbus_serial_test.py stands in: broker, gateway, an agent with its controller, and how to ask them."""
import contextlib
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from plan import CLEAR, COMMAND, ENVELOPE, OUTPUTS, ROUTINE, START, Plan

DEVICE, UNIT, BAUD = "gun-peer", 7, 19200
# A controller without the register 0x1F6 gets a second at a time; RTU has that kind.
DEAD_MAN_MS = {"tcp": 800, "rtu": 0}
PATIENCE_S = 30
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def until(what, condition, patience_s=PATIENCE_S, every_s=0.02):
    """The first true answer of `condition`."""
    deadline = time.monotonic() + patience_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
        time.sleep(every_s)
    return answer


def hurry():
    """A controller and a line wait for nobody; here they share the processor with whatever else runs. Where that isn't allowed they do
    without."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))


reserved = []


def free_port():
    """Below the range the kernel gives to clients; no other test chooses it as long as this one runs, see harness.c."""
    while True:
        port = random.randrange(20000, 32000)
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            name.bind(f"\0gymfleet-test-port-{port}")
            reserved.append(name)
            return port
        name.close()


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Slave:
    """slave.js; started again it has the same port and the same log."""

    def __init__(self, world, name, *options):
        self.world, self.name, self.options = world, name, options
        self.log = f"{world.folder}/{name}.jsonl"
        self.start()

    def start(self):
        self.process = self.world.spawn(
            self.name, "node", f"{self.world.source}/tests/integration/modbus-serial/slave.js", "--log", self.log, "--unit", str(UNIT),
            *self.options, first=hurry, cwd=self.world.packages, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n", "the slave doesn't start"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tell(self, line):
        """When it was told."""
        now = time.monotonic()
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"ok\n", line
        return now

    def events(self, since=0):
        with open(self.log, encoding="utf-8") as file:
            lines = file.read().split("\n")[:-1]  # the last one may be half there
        return [event for event in map(json.loads, lines) if event["t"] >= since]

    def states(self, since=0):
        """(t, all output registers) after each write, the one before `since` too."""
        registers, found = [0] * OUTPUTS, []
        for event in self.events():
            if event.get("write", CLEAR) >= OUTPUTS:
                continue
            registers = list(registers)
            registers[event["write"]:event["write"] + len(event["values"])] = event["values"]
            if event["t"] < since:
                found = []
            found.append((event["t"], registers))
        return found

    def registers(self):
        return self.states()[-1][1]


class World:
    def __init__(self, source, programs, packages, wire):
        self.source, self.programs, self.packages, self.wire = source, programs, packages, wire
        self.folder = tempfile.mkdtemp(prefix="gf-peer-")
        self.processes, self.plan = [], Plan(source)
        self.environment = dict(os.environ, GYMFLEET_SOCKET=f"{self.folder}/gateway.sock", PATH=f"{os.environ['PATH']}:/usr/sbin")

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        if "GF_IT_KEEP" in os.environ:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder)

    def spawn(self, name, *argv, first=lambda: None, **how):
        """`first` is run by the child."""
        def begin():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            first()

        log = open(f"{self.folder}/{name}.log", "ab")
        how = {"stdin": subprocess.DEVNULL, "stdout": log, **how}
        process = subprocess.Popen(argv, stderr=log, env=self.environment, preexec_fn=begin, **how)
        log.close()
        self.processes.append(process)
        return process

    def run(self, *argv):
        run = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, f"{' '.join(argv)}: {run.stderr or run.stdout}"
        return run.stdout

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def ask(self, *words):
        run = subprocess.run([f"{self.programs}/gymfleet", *words, "-o", "json"], env=self.environment, capture_output=True, text=True)
        return json.loads(run.stdout) if run.returncode == 0 else None

    def start_fleet(self):
        pki, device_port = f"{self.folder}/pki", free_port()
        while (gateway_port := free_port()) == device_port:
            pass
        for words in (["init", pki], ["broker", pki, "localhost"], ["gateway", pki], ["device", pki, DEVICE]):
            self.run(f"{self.source}/deploy/pki", *words)
        self.run(f"{self.source}/deploy/broker-conf", self.folder, str(device_port), str(gateway_port))
        self.write("gateway.yaml", f"""
state_dir: gateway
broker: {{host: localhost, port: {gateway_port}, ca_file: pki/ca.pem, cert_file: pki/gateway.pem, key_file: pki/gateway.key}}
api: {{socket: gateway.sock}}
""")
        self.device_port = device_port
        self.spawn("broker", "mosquitto", "-c", f"{self.folder}/mosquitto.conf")
        until("the broker", lambda: accepts(device_port) and accepts(gateway_port))
        self.gateway = self.spawn("gateway", f"{self.programs}/gymfleet-gateway", "--config", f"{self.folder}/gateway.yaml")
        os.mkdir(f"{self.folder}/routines")
        shutil.copy(f"{self.source}/config/routines/percussion_warmup.yaml", f"{self.folder}/routines/1.yaml")
        self.write("routines/2.yaml", json.dumps(ROUTINE, indent=1))
        self.run(f"{self.programs}/gymfleet", "catalog", "build", "--class", "percussion", "--name", "peer", "--version", "1", "-o",
                 f"{self.folder}/peer.catalog", f"{self.folder}/routines")

    def agent_config(self, name, modbus):
        """JSON again. Returns the file's path."""
        key = f"pki/devices/{DEVICE}"
        self.write(f"{name}.yaml", json.dumps({
            "class": "percussion", "model": "peer", "location": {"site": "lab"}, "state_dir": name, "clock": "system",
            "catalog": "peer.catalog", "heartbeat_s": 1, "envelope": ENVELOPE, "driver": "modbus", "modbus": dict(modbus, unit=UNIT),
            "broker": {"host": "localhost", "port": self.device_port, "ca_file": "pki/ca.pem", "cert_file": f"{key}.pem",
                       "key_file": f"{key}.key"}}))
        return f"{self.folder}/{name}.yaml"

    def spawn_line(self):
        self.line_log = f"{self.folder}/line.txt"
        with open(self.line_log, "w", encoding="utf-8") as log:
            self.spawn("line", sys.executable, f"{self.source}/tests/integration/modbus-serial/line.py", str(BAUD), first=hurry, stdout=log)
        self.master_end, self.slave_end = until("the line", lambda: self.line_says()[:1])[0].split()

    def line_says(self):
        with open(self.line_log, encoding="utf-8") as log:
            return log.read().split("\n")[:-1]

    def start_machine(self):
        dead_man = ["--dead-man", str(DEAD_MAN_MS[self.wire])]
        if self.wire == "tcp":
            port = free_port()
            self.slave = Slave(self, "slave", "--tcp", str(port), *dead_man)
            modbus = {"host": "127.0.0.1", "port": port}
        else:
            self.spawn_line()
            self.slave = Slave(self, "slave", "--rtu", self.slave_end, *dead_man)
            modbus = {"device": self.master_end, "baud": BAUD, "parity": "even"}
        self.agent = self.spawn("agent", f"{self.programs}/gymfleet-agent", "--config", self.agent_config("agent", modbus))
        until("the machine is online", lambda: [d for d in self.ask("devices") or [] if d["presence"] == "online"])

    def request(self):
        """Somebody asks for the second routine of the catalog. When."""
        asked_at = self.slave.tell("routine 2")
        until("the routine starts", lambda: self.slave.registers()[COMMAND] == START)
        return asked_at

    def ended(self, count):
        """The last session, when there are so many ended ones."""
        def last():
            sessions = [s for s in self.ask("sessions", DEVICE) or [] if s["outcome"] != "running"]
            return sessions[0] if len(sessions) == count else None
        return until(f"{count} sessions are stored", last, ROUTINE["total_s"] + PATIENCE_S, every_s=0.25)

    def faults(self, code):
        return [f for f in self.ask("faults", DEVICE) or [] if f["code"] == code]
