/*
 * Happy path: read() takes the keeper's newest slot and asks the lines; write() beats, then writes duty and enable if they changed.
 *
 * Failure modes:
 *   - a PWM file takes no write: off as far as possible, write() fails, and read() too until the files have taken zeros. Meanwhile
 *     there is no beat, so that the watcher tries as well;
 *   - something else wrote to the channel: all is written again each REFRESH_TICKS;
 *   - the keeper hangs on its bus: its slot grows old, read() fails, off; free() leaves it behind;
 *   - the watcher has fired (this thread or this process stood still): off, read() fails once, then tells the fault `watchdog` for a
 *     second. Until that read() the watcher keeps writing zeros, and write() turns nothing on;
 *   - the watcher is dead or silent: off, read() fails until the keeper's new one beats, and tells the same fault.
 */
#include "agent/driver/sysfs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/driver/sysfs_impl.h"

enum {
	REFRESH_TICKS = 5,
	WATCHDOG_TOLD_MS = 1000,
};

/* --- outputs ----------------------------------------------------------------------------------------------------- */

static int off(struct sysfs *s, bool afresh)
{
	const int motor = s->pwm.duty_fd >= 0 ? pwm_off(&s->pwm, afresh) : 0;
	const int frequency = s->frequency.duty_fd >= 0 ? pwm_off(&s->frequency, afresh) : 0;
	return motor != 0 ? motor : frequency;
}

static bool outputs_known(const struct sysfs *s)
{
	return s->pwm.known && (!s->config.frequency.present || s->frequency.known);
}

static int on(struct sysfs *s, const struct driver_output *output, bool afresh)
{
	const struct sysfs_config *c = &s->config;
	const float pct = output->intensity_pct < 100 ? output->intensity_pct : 100;
	const float duty_pct = c->duty_min_pct + (c->duty_max_pct - c->duty_min_pct) * pct / 100;
	const int r = c->frequency.present ? pwm_duty(&s->frequency, output->frequency_hz / c->hz_at_full, afresh) : 0;
	return r != 0 ? r : pwm_duty(&s->pwm, duty_pct / 100, afresh);
}

static int sysfs_write(struct driver *driver, int64_t mono_ms, const struct driver_output *output)
{
	struct sysfs *s = sysfs_of(driver);
	const bool wanted = output->command == DRIVER_START && output->intensity_pct > 0;
	const bool afresh = s->ticks++ % REFRESH_TICKS == 0;
	int r = watch_fired(s->watch) ? -ETIMEDOUT : watch_alive(s->watch, mono_ms) ? 0 : -ENOTCONN;

	/* Before anything is on, and after all is off: outputs that take no zero from us are the watcher's. */
	if (r == 0 && wanted)
		watch_beat(s->watch);
	r = r != 0 ? r : wanted ? on(s, output, afresh) : off(s, afresh);
	if (r == 0 && !wanted)
		watch_beat(s->watch);
	/* It may have fired between the look at it and the writes: then what it turned off is on again. */
	if (r == 0 && wanted && watch_fired(s->watch))
		r = -ETIMEDOUT;
	if (r != 0)
		(void)off(s, true);
	return r;
}

static void sysfs_safe(struct driver *driver)
{
	(void)off(sysfs_of(driver), true);
}

/* --- inputs ------------------------------------------------------------------------------------------------------ */

static void press(struct driver_panel *panel, const struct sysfs_button_config *button)
{
	switch (button->does) {
	case SYSFS_BUTTON_START:
		panel->routine = button->routine;
		break;
	case SYSFS_BUTTON_STOP:
		panel->stop = true;
		break;
	case SYSFS_BUTTON_PAUSE:
		panel->pause = true;
		break;
	case SYSFS_BUTTON_PAIN:
		panel->pain = true;
		break;
	case SYSFS_BUTTON_INTENSITY_UP:
		panel->intensity_up = true;
		break;
	case SYSFS_BUTTON_INTENSITY_DOWN:
		panel->intensity_down = true;
		break;
	case SYSFS_BUTTON_STAFF_KEY:
		panel->staff_key = true;
		break;
	}
}

static void read_lines(struct sysfs *s, struct driver_input *input)
{
	input->estop = gpio_pressed(s->estop, true);
	input->cover_open = s->cover != NULL && gpio_pressed(s->cover, true);
	input->has_occupied = s->occupied != NULL;
	input->occupied = s->occupied != NULL && gpio_pressed(s->occupied, true);
	for (size_t i = 0; i < s->config.buttons_count; i++) {
		const struct sysfs_button_config *button = &s->config.buttons[i];
		/* Nothing that turns more on is taken from a line that says nothing. */
		const bool eases = button->does == SYSFS_BUTTON_STOP || button->does == SYSFS_BUTTON_PAIN;
		if (gpio_pressed(s->buttons[i], eases))
			press(&input->panel, button);
	}
}

static int sysfs_read(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input)
{
	struct sysfs *s = sysfs_of(driver);
	struct driver_input input = {.fault = GF_FAULT_UNSPECIFIED};

	if (watch_take(s->watch)) {
		(void)off(s, true);
		s->fired_left_ms = mono_ms + WATCHDOG_TOLD_MS;
		return -ETIMEDOUT;
	}
	/* Outputs that took no write are as good as on: no reading before they are off. */
	const int r = outputs_known(s) ? 0 : off(s, true);
	if (r != 0)
		return r;
	const struct keeper_reading *reading = keeper_newest(s->keeper);
	const bool alive = watch_alive(s->watch, mono_ms);
	if (!alive || mono_ms - reading->begun_ms > DRIVER_STALE_MS) {
		(void)off(s, false);
		return alive ? -ETIMEDOUT : -ENOTCONN;
	}
	read_lines(s, &input);
	memcpy(input.sensors, reading->values, sizeof(input.sensors));
	if (mono_ms < s->fired_left_ms)
		input.fault = GF_FAULT_WATCHDOG;
	*ret_input = input;
	return 0;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static int open_line(const struct sysfs *s, const struct gpio_config *config, const char *what, struct gpio **ret_gpio,
                     struct gf_diag *diag)
{
	if (!config->present)
		return 0;
	const int r = gpio_open(config, s->config.root, ret_gpio, diag);
	if (r != 0)
		gf_diag_prefix(diag, "%s", what);
	return r;
}

static int open_lines(struct sysfs *s, struct gf_diag *diag)
{
	const struct sysfs_config *c = &s->config;
	int r;
	if ((r = open_line(s, &c->estop, "estop", &s->estop, diag)) != 0 ||
	    (r = open_line(s, &c->cover, "cover", &s->cover, diag)) != 0 ||
	    (r = open_line(s, &c->occupied, "occupied", &s->occupied, diag)) != 0)
		return r;
	for (size_t i = 0; i < c->buttons_count && r == 0; i++)
		r = open_line(s, &c->buttons[i].line, "button", &s->buttons[i], diag);
	return r;
}

/* Where it is installed: beside the program that runs. */
static int beside_us(char *ret_path, size_t size, struct gf_diag *diag)
{
	const ssize_t len = readlink("/proc/self/exe", ret_path, size - 1);
	if (len < 0) {
		const int error = errno;
		gf_diag_set(diag, "/proc/self/exe: %s; name the watcher in the configuration", strerror(error));
		return -error;
	}
	ret_path[len] = '\0';
	char *slash = strrchr(ret_path, '/');
	const size_t room = slash != NULL ? size - (size_t)(slash + 1 - ret_path) : 0;
	return slash != NULL && gf_strcpy(slash + 1, room, "gymfleet-watcher") ? 0 : -ENAMETOOLONG;
}

static int start_threads(struct sysfs *s, struct gf_diag *diag)
{
	const struct pwm *const channels[] = {&s->pwm, &s->frequency};
	int fds[WATCH_OUTPUTS_MAX];
	size_t count = 0;
	char program[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
		if (channels[i]->duty_fd < 0)
			continue;
		fds[count++] = channels[i]->duty_fd;
		fds[count++] = channels[i]->enable_fd;
	}
	if (s->config.watcher[0] != '\0')
		(void)gf_strcpy(program, sizeof(program), s->config.watcher);
	else
		r = beside_us(program, sizeof(program), diag);
	if (r != 0 || (r = watch_start(program, fds, count, &s->watch, diag)) != 0)
		return r;
	r = keeper_start(&s->sensors, s->watch, &s->keeper);
	if (r != 0)
		gf_diag_set(diag, "the sensors' thread doesn't start: %s", strerror(-r));
	return r;
}

/* Outputs first: off, whatever else may be missing. */
static int open_all(struct sysfs *s, struct gf_diag *diag)
{
	const struct sysfs_config *c = &s->config;
	int r;
	if ((r = pwm_open(&c->pwm, c->root, &s->pwm, diag)) != 0)
		return r;
	if (c->frequency.present && (r = pwm_open(&c->frequency, c->root, &s->frequency, diag)) != 0)
		return r;
	if ((r = open_lines(s, diag)) != 0 || (r = sensors_find(&c->sensors, c->root, &s->sensors, diag)) != 0)
		return r;
	return start_threads(s, diag);
}

static void sysfs_free(struct driver *driver)
{
	if (driver == NULL)
		return;
	struct sysfs *s = sysfs_of(driver);
	sysfs_safe(driver);
	/* A hung bus doesn't keep the agent from ending: all is off, and the watcher ends with this process. */
	if (!keeper_stop(s->keeper))
		return;
	watch_stop(s->watch);
	sensors_deinit(&s->sensors);
	gpio_close(s->estop);
	gpio_close(s->cover);
	gpio_close(s->occupied);
	for (size_t i = 0; i < SYSFS_BUTTONS_MAX; i++)
		gpio_close(s->buttons[i]);
	pwm_close(&s->pwm);
	pwm_close(&s->frequency);
	free(s);
}

static const struct driver_ops sysfs_ops = {
    .name = "sysfs",
    .read = sysfs_read,
    .write = sysfs_write,
    .safe = sysfs_safe,
    .check = sysfs_check,
    .free = sysfs_free,
};

static int check_config(const struct sysfs_config *c, struct gf_diag *diag)
{
	const bool duty = c->duty_min_pct >= 0 && c->duty_min_pct < c->duty_max_pct && c->duty_max_pct <= 100;
	if (c->pwm.present && c->estop.present && duty && (!c->frequency.present || c->hz_at_full > 0) &&
	    c->buttons_count <= SYSFS_BUTTONS_MAX)
		return 0;
	gf_diag_set(diag, "a machine in sysfs needs a PWM channel with a range of duty, and an emergency stop");
	return -EINVAL;
}

int sysfs_driver_new(const struct sysfs_config *config, struct driver **ret_driver, struct gf_diag *diag)
{
	int r = check_config(config, diag);
	if (r != 0)
		return r;
	struct sysfs *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		gf_diag_set(diag, "out of memory");
		return -ENOMEM;
	}
	s->driver.ops = &sysfs_ops;
	s->config = *config;
	s->pwm.duty_fd = s->pwm.enable_fd = s->frequency.duty_fd = s->frequency.enable_fd = -1;
	r = open_all(s, diag);
	if (r != 0) {
		sysfs_free(&s->driver);
		return r;
	}
	*ret_driver = &s->driver;
	return 0;
}

int sysfs_driver_watcher(const struct driver *driver)
{
	return watch_pid(((const struct sysfs *)(const void *)driver)->watch);
}
