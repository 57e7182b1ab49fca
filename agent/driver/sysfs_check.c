#include <math.h>
#include <string.h>
#include <time.h>

#include "proto/base/now.h"

#include "agent/driver/sysfs_impl.h"

enum {
	LINES_SLOW_US = 1000, /* of a tick of 20,000; and `read` should return within a millisecond */
	SENSORS_SLOW_MS = 50,
};

static const char *const units[GF_SENSOR_COUNT] = {
    [GF_SENSOR_MOTOR_TEMP_C] = "°C", [GF_SENSOR_SURFACE_TEMP_C] = "°C",  [GF_SENSOR_CURRENT_MA] = "mA",
    [GF_SENSOR_SPEED_RPM] = "rpm",   [GF_SENSOR_PRESSURE_MMHG] = "mmHg", [GF_SENSOR_SUPPLY_MV] = "mV",
    [GF_SENSOR_BATTERY_PCT] = "%",
};

static int64_t now_us(void)
{
	return gf_now_ns(CLOCK_MONOTONIC) / 1000;
}

static void check_pwm(const struct pwm *pwm, const char *what, struct driver_findings *findings)
{
	uint32_t duty_ns = 0;
	bool is_on = false;
	const int r = pwm_look(pwm, &duty_ns, &is_on);
	if (r != 0)
		driver_found(findings, DRIVER_BROKEN, what, "pwmchip%u/pwm%u can't be read: %s", pwm->config.chip,
		             pwm->config.channel, strerror(-r));
	else if (is_on || duty_ns != 0)
		driver_found(findings, DRIVER_BROKEN, what,
		             "pwmchip%u/pwm%u is on although it was turned off: something else drives it", pwm->config.chip,
		             pwm->config.channel);
	else
		driver_found(findings, DRIVER_FINE, what, "pwmchip%u/pwm%u, %.4g kHz, off", pwm->config.chip,
		             pwm->config.channel, 1e6 / pwm->config.period_ns);
}

/* What a line keeps safe is `safety`: pressed is then a thing to look at, and a contact that closes one to doubt. */
static void check_line(struct gpio *gpio, const struct gpio_config *config, const char *what, bool safety,
                       const char *const states[2], struct driver_findings *findings)
{
	char name[GF_TEXT_MAX];
	bool closed = false;
	if (!config->present)
		return;
	gpio_name(config, name);
	const int r = gpio_read(gpio, &closed);
	const bool pressed = closed != config->normally_closed;
	if (r != 0)
		driver_found(findings, DRIVER_BROKEN, what, "%.100s can't be read: %s%s", name, strerror(-r),
		             safety ? "; it counts as pressed" : "");
	else if (safety && pressed)
		driver_found(findings, DRIVER_DOUBTFUL, what, "%s (%.80s): if it isn't, its wire or its contact is broken",
		             states[1], name);
	else if (safety && !config->normally_closed)
		driver_found(findings, DRIVER_DOUBTFUL, what,
		             "%s (%.60s), by a contact that closes: a broken wire goes unnoticed", states[0], name);
	else
		driver_found(findings, DRIVER_FINE, what, "%s (%.100s)", states[pressed ? 1 : 0], name);
}

static void check_lines(struct sysfs *s, struct driver_findings *findings)
{
	static const char *const buttons[] = {
	    [SYSFS_BUTTON_START] = "button start",     [SYSFS_BUTTON_STOP] = "button stop",
	    [SYSFS_BUTTON_PAUSE] = "button pause",     [SYSFS_BUTTON_PAIN] = "button pain",
	    [SYSFS_BUTTON_INTENSITY_UP] = "button up", [SYSFS_BUTTON_INTENSITY_DOWN] = "button down",
	    [SYSFS_BUTTON_STAFF_KEY] = "staff key",
	};
	static const char *const press[] = {"released", "pressed"}, *const open[] = {"closed", "open"},
	                         *const seat[] = {"free", "occupied"};
	const int64_t begun_us = now_us();

	check_line(s->estop, &s->config.estop, "e-stop", true, press, findings);
	check_line(s->cover, &s->config.cover, "cover", true, open, findings);
	check_line(s->occupied, &s->config.occupied, "occupied", false, seat, findings);
	for (size_t i = 0; i < s->config.buttons_count; i++)
		check_line(s->buttons[i], &s->config.buttons[i].line, buttons[s->config.buttons[i].does], false, press,
		           findings);
	const int64_t took_us = now_us() - begun_us;
	if (took_us > LINES_SLOW_US)
		driver_found(findings, DRIVER_DOUBTFUL, "lines",
		             "reading them all takes %.1f ms of each tick; is there an expander in between?",
		             (double)took_us / 1000);
}

static void check_sensors(struct sysfs *s, struct driver_findings *findings)
{
	float values[GF_SENSOR_COUNT];
	const int64_t begun_us = now_us();
	sensors_read(&s->sensors, values);
	const int64_t took_ms = (now_us() - begun_us) / 1000;
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		const char *path = s->sensors.paths[i], *name = gf_sensor_name((enum gf_sensor)i);
		if (path == NULL)
			continue;
		if (isfinite(values[i]))
			driver_found(findings, DRIVER_FINE, name, "%.5g %s (%s)", (double)values[i], units[i],
			             s->config.sensors.inputs[i]);
		else
			driver_found(findings, DRIVER_BROKEN, name,
			             "%.120s gives no value that can be; check the sensor and its plug", path);
	}
	if (took_ms > SENSORS_SLOW_MS)
		driver_found(findings, took_ms > DRIVER_STALE_MS ? DRIVER_BROKEN : DRIVER_DOUBTFUL, "sensors",
		             "reading them takes %lld ms; a value must never be older than %d ms", (long long)took_ms,
		             DRIVER_STALE_MS);
}

void sysfs_check(struct driver *driver, struct driver_findings *findings)
{
	struct sysfs *s = sysfs_of(driver);
	const int pid = watch_pid(s->watch);

	check_pwm(&s->pwm, "pwm", findings);
	if (s->config.frequency.present)
		check_pwm(&s->frequency, "frequency", findings);
	check_lines(s, findings);
	check_sensors(s, findings);
	if (pid != 0)
		driver_found(findings, DRIVER_FINE, "watcher", "starts, and beats");
	else
		driver_found(findings, DRIVER_BROKEN, "watcher", "started, and ended by itself");
}
