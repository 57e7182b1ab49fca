#include "agent/driver/modbus_regs.h"

#include <math.h>
#include <string.h>

enum { MS_PER_S = 1000, LEASE_S = 1 };

static uint16_t at(const uint16_t registers[static MB_INPUTS_COUNT], int address)
{
	return registers[address - MB_INPUTS];
}

static uint32_t at_u32(const uint16_t registers[static MB_INPUTS_COUNT], int address)
{
	return (uint32_t)at(registers, address) << 16 | at(registers, address + 1);
}

static float number(uint16_t value)
{
	return value != MB_NONE ? (float)value : NAN;
}

static float temperature(uint16_t value)
{
	const int tenths = value < 0x8000U ? value : (int)value - 0x10000;
	return value != MB_NONE_TEMP ? (float)tenths / 10.0F : NAN;
}

/* --- in ---------------------------------------------------------------------------------------------------------- */

void mb_identity_take(const uint16_t registers[static MB_IDENTITY_COUNT], struct mb_identity *ret_identity)
{
	const uint16_t *serial = registers + (MB_SERIAL - MB_IDENTITY);
	*ret_identity = (struct mb_identity){
	    .version = registers[MB_VERSION - MB_IDENTITY],
	    .class = registers[MB_CLASS - MB_IDENTITY],
	};
	for (size_t i = 0; i < MB_SERIAL_LEN; i++) {
		const char c = (char)(i % 2 == 0 ? serial[i / 2] >> 8 : serial[i / 2] & 0xFF);
		if (c == '\0')
			break;
		ret_identity->serial[i] = c >= ' ' && c <= '~' ? c : '?';
	}
}

/* A controller that stands still for a reason we have no number for stands still all the same. */
static enum gf_fault fault_of(uint16_t status, uint16_t code)
{
	if (code > GF_FAULT_UNSPECIFIED && code < GF_FAULT_COUNT)
		return (enum gf_fault)code;
	return code != 0 || (status & MB_STATUS_FAULT) != 0 ? GF_FAULT_WATCHDOG : GF_FAULT_UNSPECIFIED;
}

static void take_sensors(const uint16_t registers[static MB_INPUTS_COUNT], float ret_sensors[static GF_SENSOR_COUNT])
{
	ret_sensors[GF_SENSOR_UNSPECIFIED] = NAN;
	ret_sensors[GF_SENSOR_MOTOR_TEMP_C] = temperature(at(registers, MB_MOTOR_TEMP));
	ret_sensors[GF_SENSOR_SURFACE_TEMP_C] = temperature(at(registers, MB_SURFACE_TEMP));
	ret_sensors[GF_SENSOR_CURRENT_MA] = number(at(registers, MB_CURRENT));
	ret_sensors[GF_SENSOR_SPEED_RPM] = number(at(registers, MB_SPEED));
	ret_sensors[GF_SENSOR_PRESSURE_MMHG] = number(at(registers, MB_GAUGE));
	ret_sensors[GF_SENSOR_SUPPLY_MV] = number(at(registers, MB_SUPPLY));
	ret_sensors[GF_SENSOR_BATTERY_PCT] = number(at(registers, MB_BATTERY));
}

static struct driver_axis carriage_of(const struct mb_machine *machine, uint16_t status, uint16_t mm,
                                      uint16_t target_mm)
{
	const int off_mm = (int)mm - (int)target_mm;
	const bool close = target_mm == MB_NONE || (mm != MB_NONE && off_mm >= -MB_CLOSE_MM && off_mm <= MB_CLOSE_MM);
	return (struct driver_axis){
	    .present = machine->carriage_areas != 0 || mm != MB_NONE,
	    .there = (status & MB_STATUS_HOMED) != 0 && close,
	};
}

static struct driver_panel panel_of(const uint16_t registers[static MB_INPUTS_COUNT])
{
	const uint16_t bits = at(registers, MB_PANEL);
	return (struct driver_panel){
	    .routine = at(registers, MB_ROUTINE),
	    .stop = (bits & MB_PANEL_STOP) != 0,
	    .pause = (bits & MB_PANEL_PAUSE) != 0,
	    .pain = (bits & MB_PANEL_PAIN) != 0,
	    .intensity_up = (bits & MB_PANEL_UP) != 0,
	    .intensity_down = (bits & MB_PANEL_DOWN) != 0,
	    .staff_key = (bits & MB_PANEL_STAFF) != 0,
	    .subject_token = (uint64_t)at_u32(registers, MB_TOKEN) << 32 | at_u32(registers, MB_TOKEN + 2),
	};
}

void mb_input_take(const struct mb_machine *machine, const uint16_t registers[static MB_INPUTS_COUNT],
                   uint16_t target_mm, struct driver_input *ret_input)
{
	const uint16_t status = at(registers, MB_STATUS);
	const uint32_t motor_s = at_u32(registers, MB_MOTOR_SECONDS), cycles = at_u32(registers, MB_CYCLES);

	*ret_input = (struct driver_input){
	    .estop = (status & MB_STATUS_ESTOP) != 0,
	    .cover_open = (status & MB_STATUS_COVER) != 0,
	    .has_occupied = machine->occupancy,
	    .occupied = machine->occupancy && (status & MB_STATUS_OCCUPIED) != 0,
	    .fault = fault_of(status, at(registers, MB_FAULT)),
	    .derated = (status & MB_STATUS_DERATED) != 0,
	    .has_meter = motor_s != MB_NONE_U32,
	    .panel = panel_of(registers),
	};
	take_sensors(registers, ret_input->sensors);
	ret_input->axes[DRIVER_AXIS_CARRIAGE] = carriage_of(machine, status, at(registers, MB_CARRIAGE), target_mm);
	if (ret_input->has_meter) {
		ret_input->meter_motor_ms = (uint64_t)motor_s * MS_PER_S;
		ret_input->meter_cycles = cycles != MB_NONE_U32 ? cycles : 0;
	}
}

/* --- out --------------------------------------------------------------------------------------------------------- */

/* Rounded down: a register never says more than it was told. NaN is 0; MB_NONE stays free. */
static uint16_t units(float value, float unit)
{
	const float count = value / unit + 0.01F; /* 25 / 0.1 is a little less than 250 */
	if (!(count > 0))
		return 0;
	return count < MB_NONE - 1 ? (uint16_t)count : MB_NONE - 1;
}

static uint16_t whole_seconds(uint32_t ms)
{
	const uint32_t s = ms / MS_PER_S + (ms % MS_PER_S > 0 ? 1 : 0);
	return s < MB_NONE ? (uint16_t)s : MB_NONE - 1;
}

static uint16_t mask_of(const struct driver_output *output)
{
	const unsigned left = output->side == GF_SIDE_LEFT || output->side == GF_SIDE_BOTH ? MB_MASK_LEFT : 0;
	const unsigned right = output->side == GF_SIDE_RIGHT || output->side == GF_SIDE_BOTH ? MB_MASK_RIGHT : 0;
	const unsigned heater = output->heat_c > 0 ? MB_MASK_HEATER : 0;
	return (uint16_t)(left | right | heater);
}

static uint16_t carriage_to(const struct mb_machine *machine, enum gf_area area)
{
	const bool placed =
	    area > GF_AREA_UNSPECIFIED && area < GF_AREA_COUNT && (machine->carriage_areas & 1U << area) != 0;
	return placed ? machine->carriage_mm[area] : MB_NONE;
}

void mb_output_put(const struct mb_machine *machine, const struct driver_output *output,
                   uint16_t ret_registers[static MB_OUTPUTS])
{
	memset(ret_registers, 0, MB_OUTPUTS * sizeof(ret_registers[0]));
	ret_registers[MB_CARRIAGE_TO] = MB_NONE;
	if (output->command != DRIVER_START) {
		const bool known = output->command == DRIVER_IDLE || output->command == DRIVER_PAUSE;
		ret_registers[MB_COMMAND] = known ? (uint16_t)output->command : MB_STOP;
		return;
	}
	const uint16_t step_s = whole_seconds(output->step_left_ms);
	ret_registers[MB_COMMAND] = MB_START;
	ret_registers[MB_MASK] = mask_of(output);
	ret_registers[MB_AREA] = (uint16_t)output->area;
	ret_registers[MB_TECHNIQUE] = (uint16_t)output->technique;
	ret_registers[MB_INTENSITY] = units(output->intensity_pct, 0.1F);
	ret_registers[MB_FREQUENCY] = units(output->frequency_hz, 0.1F);
	ret_registers[MB_RAMP] = units(output->ramp_pct_s, 0.1F);
	ret_registers[MB_STEP_LEFT] = machine->lease && step_s > LEASE_S ? LEASE_S : step_s;
	ret_registers[MB_PRESSURE] = units(output->pressure_mmhg, 1);
	ret_registers[MB_HEAT] = units(output->heat_c, 0.1F);
	ret_registers[MB_CARRIAGE_TO] = carriage_to(machine, output->area);
}

bool mb_output_urgent(const uint16_t before[static MB_OUTPUTS], const uint16_t now[static MB_OUTPUTS])
{
	static const int points[] = {MB_COMMAND, MB_MASK, MB_AREA, MB_TECHNIQUE, MB_CARRIAGE_TO};
	static const int amounts[] = {MB_INTENSITY, MB_FREQUENCY, MB_PRESSURE, MB_HEAT};

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		if (now[points[i]] != before[points[i]])
			return true;
	}
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		if (now[amounts[i]] < before[amounts[i]])
			return true;
	}
	return now[MB_STEP_LEFT] == 0 && before[MB_STEP_LEFT] != 0;
}
