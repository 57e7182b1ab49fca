#include "tests/slave/controller.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "tests/slave/frame.h"

#define CARRIAGE_MM_PER_MS 0.2

void controller_note(const struct controller *c, const char *format, ...)
{
	struct timespec now;
	va_list args;
	if (c->log == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(c->log, "%lld.%03ld %llu ", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, now.tv_nsec / 1000 % 1000,
	        (unsigned long long)c->readings);
	va_start(args, format);
	vfprintf(c->log, format, args);
	va_end(args);
	fputc('\n', c->log);
	fflush(c->log);
}

/* --- what it does by itself -------------------------------------------------------------------------------------- */

static bool forbidden(const struct controller *c)
{
	return c->input.estop || c->input.cover_open || c->knobs.fault != GF_FAULT_UNSPECIFIED;
}

static enum gf_side side_of(uint16_t mask)
{
	const bool left = (mask & MB_MASK_LEFT) != 0, right = (mask & MB_MASK_RIGHT) != 0;
	return left && right ? GF_SIDE_BOTH : left ? GF_SIDE_LEFT : right ? GF_SIDE_RIGHT : GF_SIDE_UNSPECIFIED;
}

/* What the motor gets, by the registers and what forbids it. */
static void make_output(const struct controller *c, struct driver_output *ret_output)
{
	const uint16_t *r = c->holding;
	const uint16_t command = r[MB_COMMAND];

	*ret_output = (struct driver_output){.command = command <= MB_STOP ? (enum driver_command)command : DRIVER_IDLE};
	if (command != MB_START)
		return;
	if (c->held || forbidden(c)) {
		ret_output->command = DRIVER_STOP;
		return;
	}
	ret_output->side = side_of(r[MB_MASK]);
	ret_output->area = (enum gf_area)r[MB_AREA];
	ret_output->technique = (enum gf_technique)r[MB_TECHNIQUE];
	ret_output->intensity_pct = ret_output->side != GF_SIDE_UNSPECIFIED ? (float)r[MB_INTENSITY] / 10 : 0;
	ret_output->frequency_hz = (float)r[MB_FREQUENCY] / 10;
	ret_output->pressure_mmhg = r[MB_PRESSURE];
	ret_output->heat_c = (r[MB_MASK] & MB_MASK_HEATER) != 0 ? (float)r[MB_HEAT] / 10 : 0;
}

static void hold(struct controller *c, const char *why)
{
	if (c->holding[MB_COMMAND] != MB_START || c->held)
		return;
	c->held = true;
	controller_note(c, "stops by itself: %s", why);
}

static void apply(struct controller *c)
{
	struct driver_output output;

	if (forbidden(c))
		hold(c, "e-stop, cover or fault");
	make_output(c, &output);
	const bool on = output.command == DRIVER_START && (output.intensity_pct > 0 || output.heat_c > 0);
	if (on != c->on)
		controller_note(c, "%s", on ? "on" : "off");
	c->on = on;
	if (c->sim->ops->write(c->sim, c->now_ms, &output) != 0)
		controller_note(c, "the simulated machine takes no output");
}

static void move_carriage(struct controller *c, int64_t elapsed_ms)
{
	const uint16_t target = c->holding[MB_CARRIAGE_TO];
	if (target == MB_NONE || c->knobs.carriage_stuck)
		return;
	const double way = CARRIAGE_MM_PER_MS * (double)elapsed_ms, left = target - c->carriage_mm;
	c->carriage_mm += fabs(left) < way ? left : copysign(way, left);
}

static void take_sensors(struct controller *c, const float sensors[static GF_SENSOR_COUNT])
{
	for (int i = 0; i < GF_SENSOR_COUNT; i++) {
		float *shown = &c->input.sensors[i];
		switch (c->knobs.sensors[i].how) {
		case SENSOR_OK:
			*shown = sensors[i];
			break;
		case SENSOR_NONE:
			*shown = NAN;
			break;
		case SENSOR_FROZEN:
			break;
		case SENSOR_SET:
			*shown = c->knobs.sensors[i].value;
			break;
		}
	}
}

void controller_step(struct controller *c, int64_t now_ms)
{
	struct driver_input input;
	const int64_t elapsed_ms = now_ms - c->now_ms;

	c->now_ms = now_ms;
	if (c->holding[MB_COMMAND] == MB_START && now_ms - c->beat_ms > c->knobs.dead_man_ms)
		hold(c, "the heartbeat stands still");
	if (c->holding[MB_COMMAND] == MB_START && now_ms >= c->step_end_ms)
		hold(c, "the step has run out");
	if (c->holding[MB_COMMAND] == MB_SELF_TEST && now_ms >= c->test_end_ms)
		c->tested = true;
	if (now_ms >= c->knobs.pressed_until_ms)
		c->knobs.pressed = c->knobs.routine = 0;
	move_carriage(c, elapsed_ms);
	/* Before it is read: what stops by itself stops in this step. */
	apply(c);
	if (c->sim->ops->read(c->sim, now_ms, &input) == 0) {
		take_sensors(c, input.sensors);
		memcpy(input.sensors, c->input.sensors, sizeof(input.sensors));
		c->input = input;
	}
	apply(c);
}

/* --- input registers --------------------------------------------------------------------------------------------- */

static uint16_t status_of(const struct controller *c)
{
	const bool running = c->on || c->knobs.runaway;
	const bool ready = c->tested && !c->knobs.never_ready && !forbidden(c);
	return (uint16_t)((ready ? MB_STATUS_READY : 0) | (running ? MB_STATUS_RUNNING : 0) |
	                  (c->holding[MB_COMMAND] == MB_PAUSE ? MB_STATUS_PAUSED : 0) |
	                  (c->input.estop ? MB_STATUS_ESTOP : 0) | (c->input.cover_open ? MB_STATUS_COVER : 0) |
	                  (c->input.occupied ? MB_STATUS_OCCUPIED : 0) | (c->knobs.fault != 0 ? MB_STATUS_FAULT : 0) |
	                  (c->tested ? MB_STATUS_HOMED : 0));
}

static uint16_t panel_of(const struct controller *c)
{
	const struct driver_panel *p = &c->input.panel;
	return (uint16_t)((p->stop ? MB_PANEL_STOP : 0) | (p->pause ? MB_PANEL_PAUSE : 0) | (p->pain ? MB_PANEL_PAIN : 0) |
	                  (p->intensity_up ? MB_PANEL_UP : 0) | (p->intensity_down ? MB_PANEL_DOWN : 0) |
	                  (p->staff_key ? MB_PANEL_STAFF : 0) | c->knobs.pressed);
}

static uint16_t unsigned_of(float value)
{
	if (isnan(value))
		return MB_NONE;
	return value <= 0 ? 0 : value < MB_NONE ? (uint16_t)lrintf(value) : MB_NONE - 1;
}

static uint16_t tenths_of(float value)
{
	if (isnan(value))
		return MB_NONE_TEMP;
	const float tenths = fminf(fmaxf(value * 10, -32767), 32767);
	return (uint16_t)(int16_t)lrintf(tenths);
}

static void put_wide(uint16_t *registers, uint64_t value, int count)
{
	for (int i = count - 1; i >= 0; i--, value >>= 16)
		registers[i] = (uint16_t)value;
}

static void make_inputs(const struct controller *c, uint16_t ret_inputs[static MB_INPUTS_COUNT])
{
	const float *sensors = c->input.sensors;

	memset(ret_inputs, 0, MB_INPUTS_COUNT * sizeof(ret_inputs[0]));
	ret_inputs[MB_STATUS - MB_INPUTS] = status_of(c);
	ret_inputs[MB_FAULT - MB_INPUTS] = (uint16_t)c->knobs.fault;
	ret_inputs[MB_SPEED - MB_INPUTS] = unsigned_of(sensors[GF_SENSOR_SPEED_RPM]);
	ret_inputs[MB_CURRENT - MB_INPUTS] = unsigned_of(sensors[GF_SENSOR_CURRENT_MA]);
	ret_inputs[MB_MOTOR_TEMP - MB_INPUTS] = tenths_of(sensors[GF_SENSOR_MOTOR_TEMP_C]);
	ret_inputs[MB_SURFACE_TEMP - MB_INPUTS] = tenths_of(sensors[GF_SENSOR_SURFACE_TEMP_C]);
	ret_inputs[MB_GAUGE - MB_INPUTS] = unsigned_of(sensors[GF_SENSOR_PRESSURE_MMHG]);
	ret_inputs[MB_CARRIAGE - MB_INPUTS] = c->knobs.has_carriage ? (uint16_t)c->carriage_mm : MB_NONE;
	ret_inputs[MB_SUPPLY - MB_INPUTS] = unsigned_of(sensors[GF_SENSOR_SUPPLY_MV]);
	ret_inputs[MB_BATTERY - MB_INPUTS] = unsigned_of(sensors[GF_SENSOR_BATTERY_PCT]);
	put_wide(&ret_inputs[MB_MOTOR_SECONDS - MB_INPUTS], c->input.meter_motor_ms / 1000, 2);
	put_wide(&ret_inputs[MB_CYCLES - MB_INPUTS], c->input.meter_cycles, 2);
	ret_inputs[MB_ROUTINE - MB_INPUTS] = c->knobs.routine != 0 ? c->knobs.routine : c->input.panel.routine;
	ret_inputs[MB_PANEL - MB_INPUTS] = panel_of(c);
	put_wide(&ret_inputs[MB_TOKEN - MB_INPUTS], c->input.panel.subject_token, 4);
}

static void make_identity(const struct controller *c, uint16_t ret_identity[static MB_IDENTITY_COUNT])
{
	ret_identity[0] = c->knobs.version;
	ret_identity[1] = c->knobs.class;
	for (int i = 0; i < MB_SERIAL_LEN / 2; i++)
		ret_identity[2 + i] = frame_u16((const uint8_t *)&c->knobs.serial[(ptrdiff_t)i * 2]);
}

int controller_read(struct controller *c, bool inputs, uint16_t from, uint16_t count, uint16_t *ret_registers)
{
	uint16_t all[MB_INPUTS_COUNT], identity[MB_IDENTITY_COUNT + 1];
	const uint16_t *source;

	if (!inputs && from + count <= MB_OUTPUTS) {
		source = c->holding + from;
	} else if (inputs && from >= MB_INPUTS && from + count <= MB_INPUTS + MB_INPUTS_COUNT) {
		make_inputs(c, all);
		source = all + (from - MB_INPUTS);
	} else if (inputs && from >= MB_IDENTITY && from + count <= MB_DEAD_MAN + (c->knobs.has_dead_man ? 1 : 0)) {
		make_identity(c, identity);
		identity[MB_DEAD_MAN - MB_IDENTITY] = c->knobs.dead_man_ms;
		source = identity + (from - MB_IDENTITY);
	} else {
		return FRAME_E_ADDRESS;
	}
	if (inputs && from == MB_STATUS)
		c->readings++;
	memcpy(ret_registers, source, count * sizeof(ret_registers[0]));
	return 0;
}

/* --- holding registers ------------------------------------------------------------------------------------------- */

static bool sane(const uint16_t holding[static MB_OUTPUTS])
{
	return holding[MB_COMMAND] <= MB_SELF_TEST && holding[MB_AREA] < GF_AREA_COUNT &&
	       holding[MB_TECHNIQUE] < GF_TECHNIQUE_COUNT && holding[MB_INTENSITY] <= 1000 && holding[MB_PRESSURE] <= 200 &&
	       holding[MB_HEAT] <= 450;
}

static void take_outputs(struct controller *c, uint16_t from, uint16_t count, const uint16_t holding[static MB_OUTPUTS])
{
	const bool self_test = holding[MB_COMMAND] == MB_SELF_TEST && c->holding[MB_COMMAND] != MB_SELF_TEST;

	if (holding[MB_HEARTBEAT] != c->holding[MB_HEARTBEAT])
		c->beat_ms = c->now_ms;
	if (from <= MB_STEP_LEFT && from + count > MB_STEP_LEFT)
		c->step_end_ms = c->now_ms + (int64_t)holding[MB_STEP_LEFT] * 1000;
	if (holding[MB_COMMAND] != MB_START)
		c->held = false;
	if (self_test) {
		c->tested = false;
		c->test_end_ms = c->now_ms + CONTROLLER_SELF_TEST_MS;
	}
	memcpy(c->holding, holding, sizeof(c->holding));
}

int controller_write(struct controller *c, uint16_t from, uint16_t count, const uint16_t *registers)
{
	uint16_t holding[MB_OUTPUTS];

	if (from == MB_CLEAR && count == 1) {
		if (registers[0] != MB_CLEAR_KEY)
			return FRAME_E_VALUE;
		controller_note(c, "cleared");
		c->knobs.fault = GF_FAULT_UNSPECIFIED;
		return 0;
	}
	if (from + count > MB_OUTPUTS)
		return FRAME_E_ADDRESS;
	memcpy(holding, c->holding, sizeof(holding));
	memcpy(holding + from, registers, count * sizeof(holding[0]));
	if (!sane(holding))
		return FRAME_E_VALUE;
	if (count == 1)
		controller_note(c, "write 0x%02X = %u", from, registers[0]);
	else
		controller_note(c, "write 0x%02X.. command %u beat %u mask %u area %u intensity %u step %u", from,
		                holding[MB_COMMAND], holding[MB_HEARTBEAT], holding[MB_MASK], holding[MB_AREA],
		                holding[MB_INTENSITY], holding[MB_STEP_LEFT]);
	take_outputs(c, from, count, holding);
	apply(c);
	return 0;
}

/* --- setting up -------------------------------------------------------------------------------------------------- */

int controller_init(struct controller *c, const struct sim_config *config, FILE *log, struct gf_diag *diag)
{
	*c = (struct controller){
	    .knobs =
	        {
	            .version = MB_MAP_VERSION,
	            .class = (uint16_t)config->class,
	            .serial = "GF-0001",
	            .dead_man_ms = CONTROLLER_DEAD_MAN_MS,
	            .has_dead_man = true,
	            .has_carriage = config->class == GF_CLASS_CHAIR,
	        },
	    .log = log,
	    .tested = true,
	};
	c->holding[MB_CARRIAGE_TO] = MB_NONE;
	return sim_driver_new(config, &c->sim, diag);
}

void controller_deinit(struct controller *c)
{
	if (c->sim != NULL)
		c->sim->ops->free(c->sim);
}
