/*
 * A massage controller's register map, our own convention, version 1. A controller that keeps it runs under the modbus driver. RTU
 * (19200 8E1 by default) or TCP; function codes 3, 4, 6 and 16. Addresses are as they stand in the frame, counted from 0. A number of
 * two or four registers has its high word first.
 *
 * What the controller has to do by itself, for Linux is never the only safety layer:
 *   - outputs off while an emergency stop is pressed or a cover is open, with any error, and with any command but MB_START;
 *   - outputs off when MB_HEARTBEAT has not changed for MB_DEAD_MAN ms; then, and after an emergency stop, a cover or an error, another
 *     command than MB_START has to be seen before MB_START counts again;
 *   - outputs off when MB_STEP_LEFT, counted down by the controller each second after it was written, comes to 0;
 *   - a write of several registers is taken as a whole, or refused as a whole.
 */
#ifndef AGENT_DRIVER_MODBUS_MAP_H
#define AGENT_DRIVER_MODBUS_MAP_H

/* Holding registers: what the controller is told. */
enum {
	MB_COMMAND = 0x00,     /* enum mb_command */
	MB_HEARTBEAT = 0x01,   /* counts up, round and round, while the agent is alive */
	MB_MASK = 0x02,        /* enum mb_mask */
	MB_AREA = 0x03,        /* enum gf_area */
	MB_TECHNIQUE = 0x04,   /* enum gf_technique */
	MB_INTENSITY = 0x05,   /* 0.1 % */
	MB_FREQUENCY = 0x06,   /* 0.1 Hz; 0 = the technique has none */
	MB_RAMP = 0x07,        /* 0.1 %/s: the steepest rise; downwards is always at once */
	MB_STEP_LEFT = 0x08,   /* s; 0 = stop */
	MB_PRESSURE = 0x09,    /* mmHg */
	MB_HEAT = 0x0A,        /* 0.1 C: what the heater may warm to; 0 = off */
	MB_CARRIAGE_TO = 0x0B, /* mm; MB_NONE = stay where it is */
	MB_OUTPUTS = 0x0C,     /* how many there are up to here, written in one go */

	MB_CLEAR = 0x1F, /* MB_CLEAR_KEY clears what the controller has latched; reads as 0 */
};

enum { MB_CLEAR_KEY = 0xC1EA };

enum mb_command { MB_IDLE = 0, MB_START = 1, MB_PAUSE = 2, MB_STOP = 3, MB_SELF_TEST = 4 };

enum mb_mask { MB_MASK_LEFT = 1 << 0, MB_MASK_RIGHT = 1 << 1, MB_MASK_HEATER = 1 << 2 };

/* Input registers: what the controller tells. All of the first block can be read in one go. */
enum {
	MB_INPUTS = 0x100,
	MB_STATUS = 0x100,        /* enum mb_status */
	MB_FAULT = 0x101,         /* enum gf_fault; 0 = none */
	MB_SPEED = 0x102,         /* rpm */
	MB_CURRENT = 0x103,       /* mA */
	MB_MOTOR_TEMP = 0x104,    /* 0.1 C, signed */
	MB_SURFACE_TEMP = 0x105,  /* 0.1 C, signed */
	MB_GAUGE = 0x106,         /* mmHg */
	MB_CARRIAGE = 0x107,      /* mm */
	MB_SUPPLY = 0x108,        /* mV */
	MB_BATTERY = 0x109,       /* % */
	MB_MOTOR_SECONDS = 0x10A, /* u32, over power cuts too; all ones = not counted */
	MB_CYCLES = 0x10C,        /* u32; all ones = not counted */
	MB_RESERVED = 0x10E,      /* two, read as 0 */
	MB_ROUTINE = 0x110,       /* requested routine's index + 1; 0 = none. Held until the session starts */
	MB_PANEL = 0x111,         /* enum mb_panel */
	MB_TOKEN = 0x112,         /* u64; 0 = none */
	MB_INPUTS_COUNT = 22,

	MB_IDENTITY = 0x1F0,
	MB_VERSION = 0x1F0,
	MB_CLASS = 0x1F1,  /* enum gf_class */
	MB_SERIAL = 0x1F2, /* four registers: 8 ASCII characters, the first in the high byte, NUL at the end when shorter */
	MB_IDENTITY_COUNT = 6,
	MB_DEAD_MAN = 0x1F6, /* ms; a controller that hasn't this register is taken to have MB_DEAD_MAN_ASSUMED_MS */
};

enum {
	MB_MAP_VERSION = 1,
	MB_SERIAL_LEN = 8,
	MB_DEAD_MAN_ASSUMED_MS = 2000,
	MB_CLOSE_MM = 10, /* a carriage so close to its target is there */
};

enum mb_status {
	MB_STATUS_READY = 1 << 0, /* the self-test went well; nothing is latched */
	MB_STATUS_RUNNING = 1 << 1,
	MB_STATUS_PAUSED = 1 << 2,
	MB_STATUS_ESTOP = 1 << 3,
	MB_STATUS_COVER = 1 << 4,
	MB_STATUS_OCCUPIED = 1 << 5,
	MB_STATUS_FAULT = 1 << 6,
	MB_STATUS_DERATED = 1 << 7,
	MB_STATUS_HOMED = 1 << 8,
};

enum mb_panel {
	MB_PANEL_STOP = 1 << 0,
	MB_PANEL_PAUSE = 1 << 1,
	MB_PANEL_PAIN = 1 << 2,
	MB_PANEL_UP = 1 << 3,
	MB_PANEL_DOWN = 1 << 4,
	MB_PANEL_STAFF = 1 << 5,
};

/* No such sensor, or it is broken. */
#define MB_NONE 0xFFFFU
#define MB_NONE_TEMP 0x8000U /* -32768 */
#define MB_NONE_U32 0xFFFFFFFFU

#endif
