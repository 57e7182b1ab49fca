/*
 * The kernel checks each write against the rest: a duty above the period is refused, and so is almost everything while the period is
 * still 0, as it is after an export. Hence the order in `prepare`: off, then the period, then off again, and then a look whether the
 * hardware agrees.
 */
#include "agent/driver/sysfs_pwm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READY_TRIES = 100, READY_PAUSE_MS = 20 };

struct place {
	char chip[PATH_MAX - 64];    /* .../pwmchip0 */
	char channel[PATH_MAX - 32]; /* .../pwmchip0/pwm0 */
};

static int write_number(int fd, uint32_t value)
{
	char text[16];
	const int len = snprintf(text, sizeof(text), "%u\n", value);
	const ssize_t done = pwrite(fd, text, (size_t)len, 0);
	if (done < 0)
		return -errno;
	return done == len ? 0 : -EIO;
}

static int read_number(int fd, uint32_t *ret_value)
{
	char text[24] = {0}, *end;
	const ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	if (len < 0)
		return -errno;
	errno = 0;
	const unsigned long value = strtoul(text, &end, 10);
	if (end == text || *end != '\n' || errno != 0 || value > UINT32_MAX || text[0] == '-')
		return -EBADMSG;
	*ret_value = (uint32_t)value;
	return 0;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static int say(const char *folder, const char *name, int error, struct gf_diag *diag)
{
	gf_diag_set(diag, "%s/%s: %s%s", folder, name, strerror(error),
	            error == EACCES ? "; see deploy/README.md on access to the hardware" : "");
	return -error;
}

static int write_file(const char *folder, const char *name, uint32_t value, struct gf_diag *diag)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return say(folder, name, errno, diag);
	const int r = write_number(fd, value);
	close(fd);
	return r == 0 ? 0 : say(folder, name, -r, diag);
}

static int export(const struct pwm_config *config, const struct place *place, struct gf_diag *diag)
{
	if (access(place->chip, F_OK) != 0) {
		gf_diag_set(diag, "%s isn't there: is the PWM enabled in the device tree, and is it this chip?", place->chip);
		return -ENOENT;
	}
	if (access(place->channel, F_OK) == 0)
		return 0;
	const int r = write_file(place->chip, "export", config->channel, diag);
	if (r == -ENODEV)
		gf_diag_set(diag, "%s has no channel %u: %s/npwm says how many there are, from 0 on", place->chip,
		            config->channel, place->chip);
	return r == -EBUSY ? 0 : r; /* somebody was faster */
}

/* After an export the files are root's until udev has been there. */
static int open_ready(const struct place *place, const char *name, struct gf_diag *diag)
{
	const struct timespec pause = {.tv_nsec = READY_PAUSE_MS * 1000000L};
	char path[PATH_MAX];
	int fd;
	snprintf(path, sizeof(path), "%s/%s", place->channel, name);
	for (int i = 0; (fd = open(path, O_RDWR | O_CLOEXEC)) < 0; i++) {
		if (i == READY_TRIES && errno == ENOENT) {
			gf_diag_set(diag, "%s doesn't appear: has a driver of the kernel (a fan, a backlight) taken this channel?",
			            path);
			return -ENOENT;
		}
		if (i == READY_TRIES || (errno != EACCES && errno != ENOENT))
			return say(place->channel, name, errno, diag);
		nanosleep(&pause, NULL);
	}
	return fd;
}

static int prepare(struct pwm *pwm, const struct place *place, struct gf_diag *diag)
{
	uint32_t duty_ns = 0;
	bool on = false;
	int r;

	(void)pwm_off(pwm, true); /* refused while the period is still 0: then it is off */
	r = write_file(place->channel, "period", pwm->config.period_ns, diag);
	if (r != 0)
		return r;
	if ((r = pwm_off(pwm, true)) != 0 || (r = pwm_look(pwm, &duty_ns, &on)) != 0) {
		gf_diag_set(diag, "%s can't be turned off: %s", place->channel, strerror(-r));
		return r;
	}
	if (on || duty_ns != 0) {
		gf_diag_set(diag, "%s stays on although it was turned off (duty %u ns)", place->channel, duty_ns);
		return -EIO;
	}
	return 0;
}

int pwm_open(const struct pwm_config *config, const char *root, struct pwm *ret_pwm, struct gf_diag *diag)
{
	struct pwm pwm = {.config = *config, .duty_fd = -1, .enable_fd = -1};
	struct place place;
	int r;

	snprintf(place.chip, sizeof(place.chip), "%s/class/pwm/pwmchip%u", root, config->chip);
	snprintf(place.channel, sizeof(place.channel), "%s/pwm%u", place.chip, config->channel);
	if ((r = export(config, &place, diag)) == 0 && (r = pwm.duty_fd = open_ready(&place, "duty_cycle", diag)) >= 0 &&
	    (r = pwm.enable_fd = open_ready(&place, "enable", diag)) >= 0)
		r = prepare(&pwm, &place, diag);
	if (r != 0) {
		pwm_close(&pwm);
		return r;
	}
	*ret_pwm = pwm;
	return 0;
}

void pwm_close(struct pwm *pwm)
{
	if (pwm->duty_fd >= 0)
		close(pwm->duty_fd);
	if (pwm->enable_fd >= 0)
		close(pwm->enable_fd);
	pwm->duty_fd = pwm->enable_fd = -1;
}

/* --- in the tick ------------------------------------------------------------------------------------------------- */

int pwm_duty(struct pwm *pwm, float share, bool afresh)
{
	const float some = share > 0 ? share : 0;
	const float most = some < 1 ? some : 1;
	const uint32_t duty_ns = (uint32_t)((double)most * pwm->config.period_ns);
	const bool all = afresh || !pwm->known;
	int r = 0;

	if (all || duty_ns != pwm->duty_ns)
		r = write_number(pwm->duty_fd, duty_ns);
	if (r == 0 && (all || !pwm->on))
		r = write_number(pwm->enable_fd, 1);
	pwm->known = r == 0;
	pwm->on = true;
	pwm->duty_ns = duty_ns;
	return r;
}

int pwm_off(struct pwm *pwm, bool afresh)
{
	if (pwm->known && !pwm->on && !afresh)
		return 0;
	const int duty = write_number(pwm->duty_fd, 0), enable = write_number(pwm->enable_fd, 0);
	pwm->known = duty == 0 && enable == 0;
	pwm->on = false;
	pwm->duty_ns = 0;
	return duty != 0 ? duty : enable;
}

int pwm_look(const struct pwm *pwm, uint32_t *ret_duty_ns, bool *ret_on)
{
	uint32_t duty_ns = 0, on = 0;
	int r;
	if ((r = read_number(pwm->duty_fd, &duty_ns)) != 0 || (r = read_number(pwm->enable_fd, &on)) != 0)
		return r;
	*ret_duty_ns = duty_ns;
	*ret_on = on != 0;
	return 0;
}
