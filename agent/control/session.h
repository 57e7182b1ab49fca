/* The account of one session: what its start, its checkpoints and its end report. Pure, no allocation. */
#ifndef AGENT_CONTROL_SESSION_H
#define AGENT_CONTROL_SESSION_H

#include "agent/control/control.h"
#include "agent/control/meter.h"
#include "agent/control/player.h"
#include "agent/control/tally.h"

struct session {
	struct gf_session_started start;
	int64_t started_mono_ms;
	int64_t ended_mono_ms; /* when the output went off for good */
	int64_t checkpoint_mono_ms;
	struct tally tally;
	float peaks[GF_SENSOR_COUNT]; /* NaN = not measured */
};

/* Opens the account of session number `session_no`; the tokens are 0 where nobody is known. */
void session_begin(struct session *session, uint64_t session_no, const struct gf_catalog *catalog,
                   const struct gf_routine *routine, uint64_t subject_token, uint64_t staff_token, int64_t mono_ms);

/* The output that was on for `elapsed_ms`. */
void session_elapsed(struct session *session, const struct driver_output *output, uint32_t elapsed_ms);
void session_peaks(struct session *session, const struct driver_input *input);

/*
 * The report at `mono_ms`: `motor` is the session's share of the meter, `before` the odometer without it; the odometer in the
 * report is with it.
 */
void session_report(const struct session *session, const struct player *player, uint32_t pain_presses,
                    enum gf_outcome outcome, struct meter_count motor, const struct gf_odometer *before,
                    int64_t mono_ms, struct gf_session_ended *ret_ended);

#endif
