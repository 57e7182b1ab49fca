/*
 * A massage controller that owes nothing to our C: somebody else's Modbus (the npm package modbus-serial), and the register map read
 * from its document. It keeps a plain machine behind its registers and writes down all it is asked and told.
 *
 *     node slave.js --log FILE (--tcp PORT | --rtu DEVICE) [--unit N] [--version N] [--class N] [--dead-man MS]
 *
 * --dead-man 0 is a controller that hasn't the register 0x1F6. From stdin it takes, a line each and answered by "ok":
 *     routine N      somebody asks for it; stands until the machine is started
 *     press BUTTON   stop or pause, for a moment; answered when the button has been up again for another
 *     estop on|off
 * The log has a line of JSON for each event, `t` in seconds of the monotonic clock: {t, write: ADDRESS, values: [...]},
 * {t, read: ADDRESS, count, status}, {t, note: "..."}. The end of stdin ends it.
 */
"use strict";
const fs = require("fs");
const readline = require("readline");
const { parseArgs } = require("util");
const { createRequire } = require("module");
// The packages are installed in the build's folder, from which this is run.
const { ServerTCP, ServerSerial } = createRequire(process.cwd() + "/")("modbus-serial");

const COMMAND = 0x00, HEARTBEAT = 0x01, MASK = 0x02, INTENSITY = 0x05, FREQUENCY = 0x06, STEP_LEFT = 0x08, CARRIAGE_TO = 0x0b;
const OUTPUTS = 0x0c, CLEAR = 0x1f, CLEAR_KEY = 0xc1ea;
const START = 1, PAUSE = 2, SELF_TEST = 4;
const SIDES = 0b11;
const INPUTS = 0x100, INPUTS_COUNT = 22, IDENTITY = 0x1f0, DEAD_MAN = 0x1f6;
const STATUS = { ready: 1 << 0, running: 1 << 1, paused: 1 << 2, estop: 1 << 3, occupied: 1 << 5, homed: 1 << 8 };
const BUTTONS = { stop: 1 << 0, pause: 1 << 1 };
const NONE = 0xffff, SERIAL = "NODE-01\0";
const STEP_MS = 20, SELF_TEST_MS = 150, PRESS_MS = 300, DEAD_MAN_ASSUMED_MS = 2000;
const AMBIENT_C = 22, WARM_C_PER_S = 0.2;
const ILLEGAL_ADDRESS = { modbusErrorCode: 2 }, ILLEGAL_VALUE = { modbusErrorCode: 3 };

const options = parseArgs({
	options: {
		tcp: { type: "string" },
		rtu: { type: "string" },
		log: { type: "string" },
		unit: { type: "string", default: "1" },
		version: { type: "string", default: "1" },
		class: { type: "string", default: "1" },
		"dead-man": { type: "string", default: "800" },
	},
}).values;
const deadManMs = Number(options["dead-man"]);
const log = fs.openSync(options.log, "a");
const meter = options.log + ".meter"; /* the hour meter outlives the power */

const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
const note = (event) => fs.writeSync(log, JSON.stringify({ t: nowMs() / 1000, ...event }) + "\n");

/* --- the machine ------------------------------------------------------------------------------------------------- */

const holding = new Array(OUTPUTS).fill(0);
holding[CARRIAGE_TO] = NONE;
const machine = {
	steppedAt: nowMs(), tested: false, testedAt: Infinity, held: false, estop: false,
	beatAt: 0, stepEnd: 0, pressed: 0, pressedUntil: 0, routine: 0,
	motorC: AMBIENT_C, motorMs: 0, cycles: 0,
};
if (fs.existsSync(meter)) Object.assign(machine, JSON.parse(fs.readFileSync(meter, "utf8")));

/* Stopped by itself: it has to be told something else before a start counts again. */
function hold(why) {
	if (holding[COMMAND] === START && !machine.held) {
		machine.held = true;
		note({ note: "stops by itself: " + why });
	}
}

function running() {
	return holding[COMMAND] === START && !machine.held && (holding[MASK] & SIDES) !== 0 && holding[INTENSITY] > 0;
}

function step() {
	const now = nowMs(), elapsedMs = now - machine.steppedAt;
	machine.steppedAt = now;
	if (now - machine.beatAt > (deadManMs || DEAD_MAN_ASSUMED_MS)) hold("no heartbeat");
	if (now >= machine.stepEnd) hold("the step has run out");
	if (machine.estop) hold("emergency stop");
	if (now >= machine.testedAt) {
		machine.tested = true;
		machine.testedAt = Infinity;
	}
	if (now >= machine.pressedUntil) machine.pressed = 0;
	if (running()) {
		machine.motorMs += elapsedMs;
		machine.motorC += (WARM_C_PER_S * elapsedMs) / 1000;
		machine.cycles += ((holding[FREQUENCY] / 10) * elapsedMs) / 1000;
		fs.writeFileSync(meter + ".new", JSON.stringify({ motorMs: machine.motorMs, cycles: machine.cycles }));
		fs.renameSync(meter + ".new", meter);
	} else if (machine.motorC > AMBIENT_C) {
		machine.motorC -= (WARM_C_PER_S * elapsedMs) / 4000;
	}
}

function status() {
	return (machine.tested && !machine.estop ? STATUS.ready : 0) | (running() ? STATUS.running : 0) |
		(holding[COMMAND] === PAUSE ? STATUS.paused : 0) | (machine.estop ? STATUS.estop : 0) |
		STATUS.occupied | (machine.tested ? STATUS.homed : 0);
}

/* --- its registers ----------------------------------------------------------------------------------------------- */

const high = (value) => Math.floor(value / 0x10000) & 0xffff;
const low = (value) => Math.floor(value) & 0xffff;

function inputs() {
	const on = running();
	const flicker = Math.random() * 40;
	const values = new Array(INPUTS_COUNT).fill(0);
	values[0x0] = status();
	values[0x2] = on ? holding[FREQUENCY] * 6 : 0;
	values[0x3] = Math.round(on ? 400 + holding[INTENSITY] + flicker : 20 + flicker / 10);
	values[0x4] = Math.round(machine.motorC * 10 + Math.random());
	values[0x5] = Math.round((AMBIENT_C + machine.motorC) * 5);
	values[0x6] = values[0x7] = NONE; /* neither gauge nor carriage */
	values[0x8] = Math.round(24000 + flicker);
	values[0x9] = NONE;
	values[0xa] = high(machine.motorMs / 1000);
	values[0xb] = low(machine.motorMs / 1000);
	values[0xc] = high(machine.cycles);
	values[0xd] = low(machine.cycles);
	values[0x10] = machine.routine;
	values[0x11] = machine.pressed;
	return values;
}

function identity() {
	const serial = Buffer.from(SERIAL, "latin1");
	const values = [Number(options.version), Number(options.class), 0, 2, 4, 6];
	for (let i = 2; i < 6; i++) values[i] = serial.readUInt16BE(values[i]);
	return values;
}

function part(values, from, count) {
	if (from < 0 || from + count > values.length) throw ILLEGAL_ADDRESS;
	return values.slice(from, from + count);
}

function readInputs(from, count) {
	note({ read: from, count, status: status() });
	if (from < IDENTITY) return part(inputs(), from - INPUTS, count);
	if (from === DEAD_MAN && deadManMs > 0) return part([deadManMs], 0, count);
	return part(identity(), from - IDENTITY, count);
}

/* As a whole, or not at all. */
function write(from, values) {
	note({ write: from, values });
	if (from === CLEAR && values.length === 1) {
		if (values[0] !== CLEAR_KEY) throw ILLEGAL_VALUE;
		return;
	}
	part(holding, from, values.length);
	const next = holding.slice();
	next.splice(from, values.length, ...values);
	if (next[COMMAND] > SELF_TEST || next[INTENSITY] > 1000) throw ILLEGAL_VALUE;
	const now = nowMs();
	if (next[HEARTBEAT] !== holding[HEARTBEAT]) machine.beatAt = now;
	if (from <= STEP_LEFT && from + values.length > STEP_LEFT) machine.stepEnd = now + next[STEP_LEFT] * 1000;
	if (next[COMMAND] !== START) machine.held = false;
	else machine.routine = 0;
	if (next[COMMAND] === SELF_TEST && holding[COMMAND] !== SELF_TEST) {
		machine.tested = false;
		machine.testedAt = now + SELF_TEST_MS;
	}
	holding.splice(0, OUTPUTS, ...next);
}

const vector = {
	getInputRegister: (address) => readInputs(address, 1)[0],
	getMultipleInputRegisters: (address, count) => readInputs(address, count),
	getHoldingRegister: (address) => part(holding, address, 1)[0],
	getMultipleHoldingRegisters: (address, count) => part(holding, address, count),
	setRegister: (address, value) => write(address, [value]),
	setRegisterArray: (address, values) => write(address, values),
};

/* --- the world around it ----------------------------------------------------------------------------------------- */

function obey(line) {
	const [what, how] = line.split(" ");
	note({ note: line });
	if (what === "routine") machine.routine = Number(how);
	if (what === "estop") machine.estop = how === "on";
	if (what === "press") {
		machine.pressed = BUTTONS[how];
		machine.pressedUntil = nowMs() + PRESS_MS;
	}
	setTimeout(() => console.log("ok"), what === "press" ? 2 * PRESS_MS : 0);
}

function serve() {
	const unitID = Number(options.unit);
	if (options.tcp !== undefined) return new ServerTCP(vector, { host: "127.0.0.1", port: Number(options.tcp), unitID });
	/* A request is whole when nothing has come for `interval` ms. */
	return new ServerSerial(vector, { path: options.rtu, baudRate: 19200, parity: "even", interval: 3, unitID },
		{ dataBits: 8, stopBits: 1 });
}

setInterval(step, STEP_MS);
readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
serve().on("initialized", () => console.log("ready")).on("serverError", (error) => { throw error; });
