#include "agent/control/session.h"

#include <math.h>

#include "agent/control/clamp.h"

void session_begin(struct session *session, uint64_t session_no, const struct gf_catalog *catalog,
                   const struct gf_routine *routine, uint64_t subject_token, uint64_t staff_token, int64_t mono_ms)
{
	*session = (struct session){
	    .start =
	        {
	            .session_no = session_no,
	            .catalog_version = catalog->version,
	            .planned_s = gf_routine_duration_ms(routine) / 1000,
	            .subject_token = subject_token,
	            .staff_token = staff_token,
	        },
	    .started_mono_ms = mono_ms,
	    .ended_mono_ms = mono_ms, /* one that ends where it starts */
	};
	gf_strcpy(session->start.routine, sizeof(session->start.routine), routine->id);
	gf_strcpy(session->start.catalog, sizeof(session->start.catalog), catalog->name);
	for (int i = 0; i < GF_SENSOR_COUNT; i++)
		session->peaks[i] = NAN;
}

void session_elapsed(struct session *session, const struct driver_output *output, uint32_t elapsed_ms)
{
	if (output_on(output))
		tally_add(&session->tally, output, elapsed_ms);
}

void session_peaks(struct session *session, const struct driver_input *input)
{
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		const float value = input->sensors[i];
		if (isfinite(value) && !(value <= session->peaks[i]))
			session->peaks[i] = value;
	}
}

void session_report(const struct session *session, const struct player *player, uint32_t pain_presses,
                    enum gf_outcome outcome, struct meter_count motor, const struct gf_odometer *before,
                    int64_t mono_ms, struct gf_session_ended *ret_ended)
{
	*ret_ended = (struct gf_session_ended){
	    .start = session->start,
	    .duration_ms = (uint32_t)(mono_ms - session->started_mono_ms),
	    .paused_ms = player->paused_ms,
	    .motor_ms = (uint64_t)motor.motor_ms,
	    .outcome = outcome,
	    .peak_motor_temp_c = session->peaks[GF_SENSOR_MOTOR_TEMP_C],
	    .peak_surface_temp_c = session->peaks[GF_SENSOR_SURFACE_TEMP_C],
	    .peak_current_ma = session->peaks[GF_SENSOR_CURRENT_MA],
	    .peak_pressure_mmhg = session->peaks[GF_SENSOR_PRESSURE_MMHG],
	    .pain_presses = pain_presses,
	    .odometer =
	        {
	            .motor_ms = before->motor_ms + (uint64_t)motor.motor_ms,
	            .sessions = session->start.session_no,
	            .cycles = before->cycles + (uint64_t)motor.cycles,
	        },
	};
	ret_ended->areas_count = tally_report(&session->tally, ret_ended->areas);
}
