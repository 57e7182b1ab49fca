#include "agent/check.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "agent/check_impl.h"
#include "agent/driver_open.h"
#include "agent/limits.h"
#include "agent/own.h"
#include "proto/base/span.h"

enum {
	WHAT_WIDTH = 16,
	CERT_SOON_DAYS = 30,
	READ_TRIES = 100, /* for a first reading */
	READ_PAUSE_MS = 20,
};

/* --- printing ---------------------------------------------------------------------------------------------------- */

void check_say(struct check *check, enum driver_verdict verdict, const char *what, const char *fmt, ...)
{
	static const struct {
		const char *word, *colour;
	} states[] = {
	    [DRIVER_FINE] = {"ok", "\033[32m"},
	    [DRIVER_DOUBTFUL] = {"doubtful", "\033[33m"},
	    [DRIVER_BROKEN] = {"broken", "\033[31m"},
	};
	va_list args;
	check->counts[verdict]++;
	fprintf(check->out, "  %s%-8s%s  %-*s  ", check->colour ? states[verdict].colour : "", states[verdict].word,
	        check->colour ? "\033[0m" : "", WHAT_WIDTH, what);
	va_start(args, fmt);
	vfprintf(check->out, fmt, args);
	va_end(args);
	fputc('\n', check->out);
	fflush(check->out);
}

/* --- the configuration ------------------------------------------------------------------------------------------- */

static const char *driver_name(enum agent_driver driver)
{
	switch (driver) {
	case AGENT_DRIVER_SIM:
		return "sim";
	case AGENT_DRIVER_MODBUS:
		return "modbus";
	case AGENT_DRIVER_SYSFS:
		return "sysfs";
	}
	return "unknown";
}

static void say_machine(struct check *check)
{
	const struct agent_config *c = check->config;
	check_say(check, DRIVER_FINE, "machine", "%s: a %s, model %s%s%s, at %s%s%s%s%s; driver %s", c->id,
	          gf_class_name(c->class), c->model, c->serial[0] != '\0' ? ", serial number " : "", c->serial,
	          c->location.site, c->location.zone[0] != '\0' ? " / " : "", c->location.zone,
	          c->location.bay[0] != '\0' ? " / " : "", c->location.bay, driver_name(c->driver));
}

/* The numbers in force: the class's, changed by the file. */
static void say_envelope(struct check *check)
{
	const struct control_envelope *e = &check->config->envelope;
	char session[GF_DURATION_MAX], duty[GF_DURATION_MAX], rest[GF_DURATION_MAX], pressure[32] = "";

	if (e->pressure_max_mmhg > 0)
		snprintf(pressure, sizeof(pressure), ", %g mmHg", (double)e->pressure_max_mmhg);
	check_say(check, DRIVER_FINE, "envelope", "at most %g %%, begins at %g %%, rises %g %%/s; %g Hz%s",
	          (double)e->intensity_max_pct, (double)e->start_max_pct, (double)e->ramp_max_pct_s,
	          (double)e->frequency_max_hz, pressure);
	check_say(check, DRIVER_FINE, "temperatures",
	          "motor: less from %g °C, stop at %g °C, again below %g °C; surface: less from %g °C, stop at %g °C",
	          (double)e->motor_temp_derate_c, (double)e->motor_temp_stop_c, (double)e->motor_temp_rearm_c,
	          (double)e->surface_temp_derate_c, (double)e->surface_temp_stop_c);
	check_say(check, DRIVER_FINE, "power", "stops above %g mA and below %g mV", (double)e->current_max_ma,
	          (double)e->supply_min_mv);
	gf_duration_format(e->session_max_ms, session);
	if (e->duty_max_ms > 0)
		check_say(check, DRIVER_FINE, "times", "a session lasts at most %s; after %s of work it rests for %s", session,
		          gf_duration_format(e->duty_max_ms, duty), gf_duration_format(e->rest_ms, rest));
	else
		check_say(check, DRIVER_FINE, "times", "a session lasts at most %s", session);
}

/* Whose hand it shakes reaches 100 points of the day's exposure (2002/44/EC: 2 a² h) after so long. */
static void say_vibration(struct check *check)
{
	const double ms2 = (double)check->config->vibration_ms2, hours = fmin(50 / (ms2 * ms2), 24);
	char reached[GF_DURATION_MAX];

	if (!control_hand_held(check->config->class, check->config->vibration_ms2))
		return;
	if (ms2 > 0)
		check_say(check, DRIVER_FINE, "vibration", "%g m/s² in the hand: 100 points of staff's daily exposure after %s",
		          ms2, gf_duration_format((int64_t)(hours * 3600 * 1000), reached));
	else
		check_say(check, DRIVER_DOUBTFUL, "vibration",
		          "unknown, so nobody can reckon how much staff gets; set vibration_ms2 from the maker's data sheet");
}

/* What its hour meter shows is said where the hardware is looked at. */
static void say_hours_before(struct check *check)
{
	const double hours = (double)check->config->motor_hours_before;

	if (hours > 0)
		check_say(check, DRIVER_FINE, "motor hours",
		          "%g h before this agent, as motor_hours_before says: they count as its own", hours);
}

/* The same on all machines of a gym, or a person is another one on each. */
static void say_subjects(struct check *check)
{
	if (check->config->has_subjects)
		check_say(check, DRIVER_FINE, "tokens",
		          "made from badges with key %08x, which must be the same on all machines",
		          (unsigned)gf_subject_key_id(&check->config->subjects));
}

/* --- files ------------------------------------------------------------------------------------------------------- */

static void check_certificate(struct check *check)
{
	const struct gf_time now = gf_clock_now(gf_clock_system(check->config->clock));
	const char *file = check->config->link.cert_file;
	const uint64_t until_ms = gf_link_cert_not_after_ms(file);
	char until[GF_RFC3339_MAX];

	gf_time_format((int64_t)until_ms, until);
	const long long left_days = ((long long)until_ms - now.wall_ms) / GF_DAY_MS;
	if (until_ms == 0)
		check_say(check, DRIVER_BROKEN, "certificate", "%s: its end can't be read", file);
	else if ((long long)until_ms <= now.wall_ms)
		check_say(check, DRIVER_BROKEN, "certificate",
		          "expired at %s: no broker lets this machine in; make a new one with deploy/pki device", until);
	else
		check_say(check, left_days < CERT_SOON_DAYS ? DRIVER_DOUBTFUL : DRIVER_FINE, "certificate", "valid until %s%s",
		          until, left_days < CERT_SOON_DAYS ? ": renew it with deploy/pki device" : "");
}

/* The folder itself, or the nearest that is there above it: where it will be made. */
static void existing_part(const char *path, char ret_part[static PATH_MAX])
{
	gf_strcpy(ret_part, PATH_MAX, path);
	while (access(ret_part, F_OK) != 0) {
		char *slash = strrchr(ret_part, '/');
		if (slash == NULL) {
			gf_strcpy(ret_part, PATH_MAX, ".");
			return;
		}
		slash[slash == ret_part ? 1 : 0] = '\0';
	}
}

/* True when the folder is there. */
static bool check_state_dir(struct check *check)
{
	const char *dir = check->config->state_dir;
	const double wanted = 2.0 * (double)check->config->spool_bytes_max;
	char part[PATH_MAX];
	struct statvfs disk;

	existing_part(dir, part);
	const bool there = strcmp(part, dir) == 0;
	if (access(part, W_OK | X_OK) != 0) {
		check_say(check, DRIVER_BROKEN, "state folder", "%s can't be written to by this user: %s", part,
		          strerror(errno));
		return there;
	}
	check_say(check, DRIVER_FINE, "state folder", "%s%s", dir, there ? "" : " will be made");
	if (statvfs(part, &disk) != 0)
		return there;
	const double left = (double)disk.f_bavail * (double)disk.f_frsize;
	check_say(check, left < wanted ? DRIVER_DOUBTFUL : DRIVER_FINE, "disk",
	          "%.0f MiB free; the spool takes up to %.0f MiB", left / (1 << 20),
	          (double)check->config->spool_bytes_max / (1 << 20));
	return there;
}

static void check_spool(struct check *check)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/spool", check->config->state_dir) >= (int)sizeof(path))
		return;
	if (access(path, F_OK) != 0)
		check_say(check, DRIVER_FINE, "spool", "will be made: this machine has no history yet");
	else if (access(path, R_OK | W_OK | X_OK) != 0)
		check_say(check, DRIVER_BROKEN, "spool", "%s can't be written to by this user: %s", path, strerror(errno));
	else
		check_say(check, DRIVER_FINE, "spool", "%s", path);
}

/* What the gateway has limited, as far as the machine knows. */
static void check_limits(struct check *check)
{
	struct gf_diag diag = {{0}};
	struct limits limits;
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/limits", check->config->state_dir) >= (int)sizeof(path))
		return;
	if (limits_load(path, &limits, &diag) != 0)
		check_say(check, DRIVER_BROKEN, "lock",
		          "%s: so the machine is locked; move the file away, or connect it to its gateway", diag.text);
	else if (limits.limits.locked)
		check_say(check, DRIVER_DOUBTFUL, "lock", "locked by the gateway, no session starts%s%s",
		          limits.lock_reason[0] != '\0' ? ": " : "", limits.lock_reason);
}

/* --- the hardware ------------------------------------------------------------------------------------------------ */

static bool first_reading(struct driver *driver, const struct gf_clock *clock, struct driver_input *ret_input)
{
	static const struct timespec pause = {.tv_nsec = READ_PAUSE_MS * 1000000L};
	for (int i = 0; driver->ops->read(driver, gf_clock_now(clock).mono_ms, ret_input) != 0; i++) {
		if (i == READ_TRIES)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void check_demanded(struct check *check, struct driver *driver, const struct gf_clock *clock)
{
	struct driver_input input;
	if (!first_reading(driver, clock, &input)) {
		check_say(check, DRIVER_BROKEN, "readings", "none within %d s: no session would start",
		          READ_TRIES * READ_PAUSE_MS / 1000);
		return;
	}
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		if ((check->config->envelope.sensors & 1U << i) != 0 && !isfinite(input.sensors[i]))
			check_say(
			    check, DRIVER_BROKEN, gf_sensor_name((enum gf_sensor)i),
			    "the envelope demands it and the hardware gives none: no session would start; connect one, or leave "
			    "it out of envelope.sensors");
	}
}

static void check_opened(struct check *check, struct driver *driver, const struct gf_clock *clock)
{
	struct driver_findings findings = {0};
	if (driver->ops->check != NULL)
		driver->ops->check(driver, &findings);
	for (size_t i = 0; i < findings.count; i++)
		check_say(check, findings.items[i].verdict, findings.items[i].what, "%s", findings.items[i].text);
	check_demanded(check, driver, clock);
	driver->ops->free(driver);
}

static void check_hardware(struct check *check, bool state_dir_there)
{
	const struct gf_clock *clock = gf_clock_system(check->config->clock);
	struct driver *driver = NULL;
	struct gf_diag diag = {{0}};
	int lock_fd = -1;

	int r = own_for_a_look(check->config->state_dir, &lock_fd);
	if (r == -EBUSY) {
		check_say(check, DRIVER_DOUBTFUL, "hardware",
		          "not looked at: an agent runs this machine; stop it first, and nobody is on the machine");
		return;
	}
	if (r != 0) {
		check_say(check, DRIVER_BROKEN, "hardware", "not looked at: the lock in %s can't be read: %s",
		          check->config->state_dir, strerror(-r));
		return;
	}
	if (check->config->driver == AGENT_DRIVER_SIM && !state_dir_there) {
		check_say(check, DRIVER_FINE, "simulated", "this machine isn't there; its hour meter will be made");
		return;
	}
	r = driver_open(check->config, check->catalog.routines_count, gf_clock_now(clock), &driver, &diag);
	if (r == 0)
		check_opened(check, driver, clock);
	else
		check_say(check, DRIVER_BROKEN, "hardware", "%s", diag.text[0] != '\0' ? diag.text : strerror(-r));
	if (lock_fd >= 0)
		close(lock_fd);
}

/* A controller's panel may have one; of lines we know. */
static bool panel_has_key(const struct agent_config *config)
{
	if (config->driver != AGENT_DRIVER_SYSFS)
		return true;
	for (size_t i = 0; i < config->sysfs.buttons_count; i++) {
		if (config->sysfs.buttons[i].does == SYSFS_BUTTON_STAFF_KEY)
			return true;
	}
	return false;
}

int agent_check(const struct agent_config *config, FILE *out)
{
	struct check check = {
	    .config = config,
	    .out = out,
	    .colour = isatty(fileno(out)) && getenv("NO_COLOR") == NULL,
	    .panel_has_key = panel_has_key(config),
	};
	say_machine(&check);
	say_envelope(&check);
	say_hours_before(&check);
	say_vibration(&check);
	say_subjects(&check);
	check_catalog(&check);
	check_certificate(&check);
	const bool there = check_state_dir(&check);
	check_spool(&check);
	check_limits(&check);
	check_hardware(&check, there);
	check_system(&check);
	gf_catalog_deinit(&check.catalog);
	fprintf(out, "\n%u ok, %u doubtful, %u broken\n", check.counts[DRIVER_FINE], check.counts[DRIVER_DOUBTFUL],
	        check.counts[DRIVER_BROKEN]);
	return check.counts[DRIVER_BROKEN] > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
