#include "agent/config.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/agent/config_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- what is shipped --- */

static void the_shipped_file_loads(void **state)
{
	struct shipped *s = *state;
	struct agent_config *c = config_rig_load(s);
	char path[128];

	assert_string_equal(c->id, "device");
	assert_int_equal(c->class, GF_CLASS_CHAIR);
	assert_string_equal(c->model, "relax-900");
	assert_string_equal(c->serial, "R9-004711");
	assert_string_equal(c->location.site, "berlin");
	assert_string_equal(c->location.zone, "recovery");
	assert_string_equal(c->location.bay, "3");
	assert_string_equal(c->state_dir, "/var/lib/gymfleet-agent");
	snprintf(path, sizeof(path), "%s/chair.catalog", s->dir);
	assert_string_equal(c->catalog_file, path);
	assert_int_equal(c->clock, GF_CLOCK_TRUST_NTP);
	assert_int_equal(c->log_level, GF_LOG_INFO);
	assert_string_equal(c->link.host, "broker.example");
	assert_int_equal(c->link.port, 8883);
	assert_int_equal(c->link.packet_max, GF_REPORT_MAX);
	assert_int_equal(c->spool_bytes_max, 16 << 20);
	assert_int_equal(c->heartbeat_ms, 60000);
	assert_float_equal(c->rated_motor_h, 2000, 0.001F);
	assert_float_equal(c->motor_hours_before, 0, 0.001F);
	assert_float_equal(c->vibration_ms2, 0, 0.001F);
	assert_float_equal(c->heat_c, 0, 0.001F);
	assert_int_equal(c->driver, AGENT_DRIVER_SIM);
	assert_int_equal(c->sim.class, GF_CLASS_CHAIR);
	assert_int_equal(c->sim.seed, 1);
	assert_float_equal(c->sim.busy, 0.3F, 0.001F);
	assert_int_equal(c->sim.opens_min, 6 * 60);
	assert_int_equal(c->sim.closes_min, 22 * 60);
	assert_int_equal(c->sim.utc_offset_min, 60);
	assert_int_equal(c->sim.faults_count, 1);
	assert_int_equal(c->sim.faults[0].code, GF_FAULT_OVERTEMP_MOTOR);
	assert_string_equal(c->sim.journal_path, "/var/lib/gymfleet-agent/hour-meter.journal");
	agent_config_free(c);
}

/* The file explains the defaults; so it must have them. */
static void the_shipped_envelope_is_the_default_one(void **state)
{
	struct shipped *s = *state;
	struct agent_config *c = config_rig_load(s);
	struct control_envelope defaults;

	control_envelope_defaults(GF_CLASS_CHAIR, &defaults);
	assert_memory_equal(&c->envelope, &defaults, sizeof(defaults));
	agent_config_free(c);
}

static void what_is_left_out_has_its_default(void **state)
{
	static const char minimal[] =
	    "class: water_bed\nmodel: m\nlocation: {site: x}\nstate_dir: state\ncatalog: c.catalog\n"
	    "broker: {host: a, port: 1, ca_file: pki/ca.pem, cert_file: pki/device.pem,\n"
	    "  key_file: pki/device.key}\ndriver: sim\nsim: {seed: 7}\n";
	struct shipped *s = *state;
	struct control_envelope defaults;
	char path[128];
	FILE *file = fopen(s->path, "we");

	assert_non_null(file);
	assert_true(fputs(minimal, file) >= 0);
	assert_int_equal(fclose(file), 0);
	struct agent_config *c = config_rig_load(s);
	control_envelope_defaults(GF_CLASS_WATER_BED, &defaults);
	assert_memory_equal(&c->envelope, &defaults, sizeof(defaults));
	snprintf(path, sizeof(path), "%s/state", s->dir);
	assert_string_equal(c->state_dir, path);
	assert_string_equal(c->serial, "");
	assert_int_equal(c->log_level, GF_LOG_INFO);
	assert_int_equal(c->clock, GF_CLOCK_TRUST_NTP);
	assert_int_equal(c->heartbeat_ms, 60000);
	assert_int_equal(c->spool_bytes_max, 16 << 20);
	assert_float_equal(c->sim.ambient_c, 22, 0.001F);
	assert_int_equal(c->sim.opens_min, 6 * 60);
	agent_config_free(c);
}

/* --- the envelope --- */

static void i3_no_limit_is_above_what_any_machine_may_do(void **state)
{
	static const struct config_mistake loose[] = {
	    {"intensity_max_pct: 80 ", "intensity_max_pct: ^81 ", "envelope.intensity_max_pct is 81; expected 1 to 80"},
	    {"start_max_pct: 30", "start_max_pct: ^31", "envelope.start_max_pct is 31; expected 1 to 30"},
	    {"ramp_max_pct_s: 1 ", "ramp_max_pct_s: ^11 ", "envelope.ramp_max_pct_s is 11; expected 0.1 to 10"},
	    {"motor_temp_stop_c: 70", "motor_temp_stop_c: ^131", "envelope.motor_temp_stop_c is 131; expected 35 to 130"},
	    {"surface_temp_derate_c: 41", "surface_temp_derate_c: ^44",
	     "envelope.surface_temp_derate_c is 44; expected 30 to 43"},
	    {"surface_temp_stop_c: 43", "surface_temp_stop_c: ^45.5",
	     "envelope.surface_temp_stop_c is 45.5; expected 32 to 45"},
	    {"session_max_min: 30", "session_max_min: ^61", "envelope.session_max_min is 61; expected 1 to 60"},
	    {"session_max_min: 30", "frequency_max_hz: ^54", "envelope.frequency_max_hz is 54; expected 0.5 to 53"},
	    {"session_max_min: 30", "pressure_max_mmhg: ^101", "envelope.pressure_max_mmhg is 101; expected 10 to 100"},
	    {"session_max_min: 30", "current_max_ma: ^1e6", "envelope.current_max_ma is 1000000; expected 100 to 50000"},
	    {"session_max_min: 30", "supply_min_mv: ^999", "envelope.supply_min_mv is 999; expected 1000 to 60000"},
	    {"session_max_min: 30", "heat_max_c: ^45", "envelope.heat_max_c is 45; expected 20 to 44"},
	    {"session_max_min: 30", "heat_max_c: ^43", "heat_max_c (43) must be below surface_temp_stop_c (43)"},
	    {"session_max_min: 30", "duty_max_min: ^241", "envelope.duty_max_min is 241; expected 1 to 240"},
	    {"session_max_min: 30", "rest_min: ^0", "envelope.rest_min is 0; expected 1 to 240"},
	};
	config_rig_refuses_all(*state, loose, COUNT(loose));
}

/* A 0 that somebody wrote was meant; taken for "left out" it would become the default, the opposite. */
static void i3_zero_is_not_the_default(void **state)
{
	static const struct config_mistake zeros[] = {
	    {"intensity_max_pct: 80 ", "intensity_max_pct: ^0 ", "envelope.intensity_max_pct is 0; expected 1 to 80"},
	    {"ramp_max_pct_s: 1 ", "ramp_max_pct_s: ^0 ", "envelope.ramp_max_pct_s is 0; expected 0.1 to 10"},
	    {"session_max_min: 30", "session_max_min: ^0", "envelope.session_max_min is 0; expected 1 to 60"},
	    {"session_max_min: 30", "pressure_max_mmhg: ^0", "envelope.pressure_max_mmhg is 0; expected 10 to 100"},
	    {"heartbeat_s: 60", "heartbeat_s: ^0", "heartbeat_s is 0; expected 1 to 3600"},
	    {"spool_mib: 16", "spool_mib: ^0", "spool_mib is 0; expected 1 to 4096"},
	};
	struct shipped *s = *state;

	config_rig_refuses_all(s, zeros, COUNT(zeros));
	shipped_change(s, "ambient_c: 22", "ambient_c: 0");
	struct agent_config *c = config_rig_load(s);
	assert_float_equal(c->sim.ambient_c, 0, 0.001F);
	agent_config_free(c);
}

static void i3_temperatures_stand_in_their_order(void **state)
{
	static const struct config_mistake mixed[] = {
	    {"motor_temp_derate_c: 60\n  motor_temp_stop_c: 70", "motor_temp_derate_c: 70\n  motor_temp_stop_c: ^70",
	     "motor_temp_stop_c (70) must be above motor_temp_derate_c (70) and motor_temp_rearm_c (50)"},
	    {"motor_temp_stop_c: 70\n  motor_temp_rearm_c: 50", "motor_temp_stop_c: ^70\n  motor_temp_rearm_c: 75",
	     "motor_temp_stop_c (70) must be above motor_temp_derate_c (60) and motor_temp_rearm_c (75)"},
	    {"surface_temp_derate_c: 41\n  surface_temp_stop_c: 43",
	     "surface_temp_derate_c: 43\n  surface_temp_stop_c: ^43",
	     "surface_temp_stop_c (43) must be above surface_temp_derate_c (43)"},
	    /* Against a default that isn't in the file. */
	    {"surface_temp_derate_c: 41\n  surface_temp_stop_c: 43", "surface_temp_stop_c: ^40",
	     "surface_temp_stop_c (40) must be above surface_temp_derate_c (41)"},
	};
	struct shipped *s = *state;

	config_rig_refuses_all(s, mixed, COUNT(mixed));
	shipped_change(s, "class: chair", "class: water_bed");
	shipped_place(s, "surface_temp_stop_c: ^43");
	config_rig_refuses(s, -EINVAL, "surface_temp_stop_c is 43; expected at most 40 for a water_bed");
}

static void i3_a_tighter_envelope_is_taken(void **state)
{
	struct shipped *s = *state;

	shipped_change(s, "intensity_max_pct: 80 ", "intensity_max_pct: 40.5 ");
	struct agent_config *c = config_rig_load(s);
	assert_float_equal(c->envelope.intensity_max_pct, 40.5F, 0.001F);
	assert_float_equal(c->envelope.start_max_pct, 30, 0.001F);
	agent_config_free(c);
	shipped_change(s, "session_max_min: 30", "session_max_min: 5");
	c = config_rig_load(s);
	assert_int_equal(c->envelope.session_max_ms, 5 * 60000);
	agent_config_free(c);
}

/* D1 */
static void i3_run_and_rest_belong_together(void **state)
{
	static const struct config_mistake alone[] = {
	    {"session_max_min: 30", "duty_warn_min: ^20\n  duty_max_min: 20\n  rest_min: 15",
	     "duty_warn_min (20) must be below duty_max_min (20)"},
	};
	struct shipped *s = *state;

	config_rig_refuses_all(s, alone, COUNT(alone));
	shipped_change(s, "session_max_min: 30", "duty_warn_min: 10\n  duty_max_min: 15\n  rest_min: 20");
	struct agent_config *c = config_rig_load(s);
	assert_int_equal(c->envelope.duty_warn_ms, 10 * 60000);
	assert_int_equal(c->envelope.duty_max_ms, 15 * 60000);
	assert_int_equal(c->envelope.rest_ms, 20 * 60000);
	agent_config_free(c);
	shipped_change(s, "session_max_min: 30", "duty_max_min: 15");
	c = config_rig_load(s);
	assert_int_equal(c->envelope.duty_warn_ms, 10 * 60000);
	agent_config_free(c);
}

static void i3_heat_stays_below_what_the_heater_may(void **state)
{
	static const struct config_mistake hot[] = {
	    {"# heat_c: 36 ", "heat_c: ^36 ",
	     "heat_c needs envelope.heat_max_c, what the heater of this machine may warm to"},
	    {"# heat_c: 36 ", "heat_c: ^-1 ", "heat_c is -1; expected 0 to 0"},
	};
	struct shipped *s = *state;

	config_rig_refuses_all(s, hot, COUNT(hot));
	shipped_change(s, "session_max_min: 30", "heat_max_c: 38\nheat_c: 38");
	struct agent_config *c = config_rig_load(s);
	assert_float_equal(c->heat_c, 38, 0.001F);
	assert_float_equal(c->envelope.heat_max_c, 38, 0.001F);
	agent_config_free(c);
}

static void sensors_that_must_be_there_are_listed(void **state)
{
	static const struct config_mistake slips[] = {
	    {"session_max_min: 30", "sensors: [^motor_temp]",
	     "'sensors' is 'motor_temp'; did you mean 'motor_temp_c'? Expected one of: motor_temp_c, "
	     "surface_temp_c, current_ma, speed_rpm, pressure_mmhg, supply_mv, battery_pct"},
	};
	struct shipped *s = *state;

	config_rig_refuses_all(s, slips, COUNT(slips));
	shipped_change(s, "session_max_min: 30", "sensors: [motor_temp_c, current_ma]");
	struct agent_config *c = config_rig_load(s);
	assert_int_equal(c->envelope.sensors, 1U << GF_SENSOR_MOTOR_TEMP_C | 1U << GF_SENSOR_CURRENT_MA);
	agent_config_free(c);
	shipped_change(s, "session_max_min: 30", "sensors: []");
	c = config_rig_load(s);
	assert_int_equal(c->envelope.sensors, 0);
	agent_config_free(c);
}

/* --- mistakes --- */

static void slips_in_words_are_explained(void **state)
{
	static const struct config_mistake slips[] = {
	    {"class: chair", "class: ^chiar",
	     "'class' is 'chiar'; did you mean 'chair'? Expected one of: percussion, roller, compression, chair, "
	     "water_bed"},
	    {"class: chair", "class: ^sofa",
	     "'class' is 'sofa'; expected one of: percussion, roller, compression, chair, water_bed"},
	    {"driver: sim", "driver: ^simulator", "'driver' is 'simulator'; expected one of: sim, modbus, sysfs"},
	    {"log_level: info", "log_level: ^warn",
	     "'log_level' is 'warn'; did you mean 'warning'? Expected one of: error, warning, notice, info, debug"},
	    {"clock: ntp", "clock: ^gps", "'clock' is 'gps'; expected one of: ntp, system"},
	    {"model: relax-900", "^modell: relax-900", "unknown key 'modell'; did you mean 'model'?"},
	    {"  site: berlin", "  ^sight: berlin", "unknown key 'sight' in 'location'; known are: site, zone, bay"},
	    {"code: overtemp_motor", "code: ^overtmp_motor",
	     "'code' is 'overtmp_motor'; did you mean 'overtemp_motor'? Expected one of: overtemp_motor, overtemp_surface, "
	     "overcurrent, stall, estop, cover_open, overpressure, leak, sensor_lost, comms_lost, endstop_timeout, supply, "
	     "watchdog, battery_low, storage"},
	};
	config_rig_refuses_all(*state, slips, COUNT(slips));
}

static void missing_parts_are_named(void **state)
{
	static const struct config_mistake missing[] = {
	    {"site: berlin\n  zone:", "^zone:", "missing key 'site' in 'location'"},
	    {"site: berlin", "site: ^\"\"", "'site' has no value; expected some text"},
	    {"state_dir: /var/lib/gymfleet-agent", "state_dir:^", "'state_dir' has no value; expected some text"},
	    {"seed: 1\n  ambient_c:", "^ambient_c:", "missing key 'seed' in 'sim'"},
	};
	struct shipped *s = *state;
	config_rig_refuses_all(s, missing, COUNT(missing));
	shipped_change(s, "model: relax-900\n", "");
	shipped_place(s, "^class: chair");
	config_rig_refuses(s, -EINVAL, "missing key 'model'");

	config_rig_drop(s, "sim");
	shipped_change(s, "driver: sim", "driver: ^sim");
	config_rig_refuses(s, -EINVAL, "driver: sim needs a section 'sim:' with at least a seed");
}

static void numbers_out_of_range_are_named(void **state)
{
	static const struct config_mistake far[] = {
	    {"port: 8883", "port: ^88830", "'port' is '88830'; expected a whole number from 0 to 65535"},
	    {"port: 8883", "port: ^mqtts", "'port' is 'mqtts'; expected a whole number from 0 to 65535"},
	    {"host: broker.example", "host: ^broker.example:8883",
	     "broker.host is 'broker.example:8883'; expected a name or an address alone: no scheme, no port (that is "
	     "broker.port), no spaces"},
	    {"keepalive_s: 15", "keepalive_s: ^61", "broker.keepalive_s is 61; expected 5 to 60"},
	    {"heartbeat_s: 60", "heartbeat_s: ^60s",
	     "'heartbeat_s' is '60s'; expected a whole number from 0 to 4294967295"},
	    {"spool_mib: 16", "spool_mib: ^5000", "spool_mib is 5000; expected 1 to 4096"},
	    {"rated_motor_h: 2000", "rated_motor_h: ^-1", "rated_motor_h is -1; expected 0 to 1000000"},
	    {"# motor_hours_before: 1650 ", "motor_hours_before: ^-1 ", "motor_hours_before is -1; expected 0 to 800000"},
	    {"# motor_hours_before: 1650 ", "motor_hours_before: ^800001 ",
	     "motor_hours_before is 800001; expected 0 to 800000"},
	    {"# vibration_ms2: 5.5 ", "vibration_ms2: ^101 ", "vibration_ms2 is 101; expected 0 to 100"},
	    {"# vibration_ms2: 5.5 ", "vibration_ms2: ^-0.1 ", "vibration_ms2 is -0.1; expected 0 to 100"},
	    {"busy: 0.3", "busy: ^30", "sim.busy is 30; expected 0 to 1"},
	    {"# tokens: 0.2 ", "tokens: ^20 ", "sim.tokens is 20; expected 0 to 1"},
	    {"# staffed: 0.3 ", "staffed: ^30 ", "sim.staffed is 30; expected 0 to 1"},
	    {"ambient_c: 22", "ambient_c: ^72", "sim.ambient_c is 72; expected -20 to 45"},
	    {"wear_h: 0", "wear_h: ^-5", "sim.wear_h is -5; expected 0 to 100000"},
	    {"utc_offset_min: 60", "utc_offset_min: ^1000", "sim.utc_offset_min is 1000; expected -840 to 840"},
	    {"per_100_motor_h: 0.5", "per_100_motor_h: ^1001", "sim.faults[0].per_100_motor_h is 1001; expected 0 to 1000"},
	};
	config_rig_refuses_all(*state, far, COUNT(far));
}

static void times_of_day_are_read_exactly(void **state)
{
	static const char *const bad[] = {"6:30",  "06:60", "24:01", "06:3",  "0630",
	                                  "06h30", "+6:30", " 6:30", "06:-1", "06:30:00"};
	struct shipped *s = *state;
	char to[64], said[128];

	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(to, sizeof(to), "opens: ^\"%s\"", bad[i]);
		snprintf(said, sizeof(said), "sim.opens is '%s'; expected a time of day such as \"06:30\"", bad[i]);
		shipped_change(s, "opens: \"06:00\"", to);
		config_rig_refuses(s, -EINVAL, said);
	}
	shipped_change(s, "closes: \"22:00\"", "closes: 24:00");
	struct agent_config *c = config_rig_load(s);
	assert_int_equal(c->sim.closes_min, 1440);
	agent_config_free(c);
}

static void certificates_are_looked_at(void **state)
{
	struct shipped *s = *state;
	char key[128];

	snprintf(key, sizeof(key), "%s/pki/device.key", s->dir);
	shipped_place(s, "key_file: ^");
	assert_int_equal(chmod(key, 0644), 0);
	config_rig_refuses(s, -EACCES,
	                   "%D/pki/device.key: a private key that others may read (mode 0644); run: chmod 600 "
	                   "%D/pki/device.key");
	assert_int_equal(unlink(key), 0);
	config_rig_refuses(s, -ENOENT,
	                   "key %D/pki/device.key cannot be read (No such file or directory): make it with deploy/pki, "
	                   "or mend the path or its mode");
	shipped_change(s, "device.pem", "chair-7.pem");
	shipped_place(s, "cert_file: ^");
	config_rig_refuses(s, -ENOENT,
	                   "certificate %D/pki/chair-7.pem cannot be read (No such file or directory): make it with "
	                   "deploy/pki, or mend the path or its mode");
}

static void a_missing_file_is_named(void **state)
{
	struct shipped *s = *state;
	struct agent_config *config = NULL;

	assert_int_equal(agent_config_load("/nowhere/agent.yaml", &config, &s->diag), -ENOENT);
	assert_string_equal(s->diag.text, "/nowhere/agent.yaml: can't open: No such file or directory");
	assert_null(config);
	agent_config_free(NULL);
}

static void memory_that_runs_out_is_said(void **state)
{
	config_rig_starve(*state);
}

#define SHIPPED_TEST(name) cmocka_unit_test_setup_teardown(name, config_rig_setup, config_rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHIPPED_TEST(the_shipped_file_loads),
	    SHIPPED_TEST(the_shipped_envelope_is_the_default_one),
	    SHIPPED_TEST(what_is_left_out_has_its_default),
	    SHIPPED_TEST(i3_no_limit_is_above_what_any_machine_may_do),
	    SHIPPED_TEST(i3_zero_is_not_the_default),
	    SHIPPED_TEST(i3_temperatures_stand_in_their_order),
	    SHIPPED_TEST(i3_a_tighter_envelope_is_taken),
	    SHIPPED_TEST(i3_run_and_rest_belong_together),
	    SHIPPED_TEST(i3_heat_stays_below_what_the_heater_may),
	    SHIPPED_TEST(sensors_that_must_be_there_are_listed),
	    SHIPPED_TEST(slips_in_words_are_explained),
	    SHIPPED_TEST(missing_parts_are_named),
	    SHIPPED_TEST(numbers_out_of_range_are_named),
	    SHIPPED_TEST(times_of_day_are_read_exactly),
	    SHIPPED_TEST(certificates_are_looked_at),
	    SHIPPED_TEST(a_missing_file_is_named),
	    SHIPPED_TEST(memory_that_runs_out_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
