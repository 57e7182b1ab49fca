/*
 * A massage controller behind its registers (agent/driver/modbus_map.h), with the simulated machine's people and physics. It does by
 * itself what the map demands of a controller: off by e-stop, cover, fault, a heartbeat that stands still, a step that has run out.
 * Time is an argument.
 */
#ifndef TESTS_SLAVE_CONTROLLER_H
#define TESTS_SLAVE_CONTROLLER_H

#include <stdio.h>

#include "agent/driver/modbus_map.h"
#include "agent/sim/sim_driver.h"

enum { CONTROLLER_DEAD_MAN_MS = 800, CONTROLLER_SELF_TEST_MS = 60, CONTROLLER_STEP_MS = 10 };

/* What a test may bend. */
struct controller_knobs {
	uint16_t version, class;
	char serial[MB_SERIAL_LEN + 1];
	uint16_t dead_man_ms;
	bool has_dead_man;   /* the register is there; the dead man is in any case, or nothing would be safe */
	bool never_ready;    /* the self-test doesn't end */
	bool runaway;        /* says that it runs, whatever it was told */
	enum gf_fault fault; /* latched until cleared */
	struct {
		enum { SENSOR_OK, SENSOR_NONE, SENSOR_FROZEN, SENSOR_SET } how;
		float value;
	} sensors[GF_SENSOR_COUNT];
	uint16_t pressed; /* enum mb_panel */
	uint16_t routine; /* its button is held */
	int64_t pressed_until_ms;
	bool has_carriage, carriage_stuck;
};

struct controller {
	struct controller_knobs knobs;
	struct driver *sim;
	FILE *log; /* NULL: none */
	uint16_t holding[MB_OUTPUTS];
	int64_t beat_ms, step_end_ms, test_end_ms, now_ms;
	bool held; /* stopped by itself: another command than START has to come first */
	bool on;   /* motor or heater */
	bool tested;
	double carriage_mm;
	uint64_t readings; /* how often the status has been asked for */
	struct driver_input input;
};

/* 0 or a negative errno. The simulated machine's ambient and so on come with `config`. */
GF_MUST_CHECK int controller_init(struct controller *c, const struct sim_config *config, FILE *log,
                                  struct gf_diag *diag);
void controller_deinit(struct controller *c);

/* Lets time pass; to be called at least every CONTROLLER_STEP_MS. */
void controller_step(struct controller *c, int64_t now_ms);

/* A request's registers. 0 or FRAME_E_...; a write is taken as a whole or not at all. */
int controller_read(struct controller *c, bool inputs, uint16_t from, uint16_t count, uint16_t *ret_registers);
int controller_write(struct controller *c, uint16_t from, uint16_t count, const uint16_t *registers);

/* A line of the log, with the monotonic time (ms) and the number of readings so far in front: "123456.789 1311 ...". */
void controller_note(const struct controller *c, const char *format, ...) GF_PRINTF(2, 3);

#endif
