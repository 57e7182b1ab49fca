#include "tests/unit/agent/driver/sysfs_rig.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/now.h"

struct sysfs_rig rig;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

static bool ends_like(int fd, const char *name)
{
	char link[64], target[512];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	const ssize_t len = readlink(link, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	return strlen(target) >= strlen(name) && strcmp(target + strlen(target) - strlen(name), name) == 0;
}

/* A state that has no period, or a duty above it, is none. */
static bool kernel_refuses(int fd, const char *text)
{
	static const char *const channels[] = {"pwm0", "pwm1"};
	for (size_t i = 0; i < 2; i++) {
		char period[64], duty[64], name[64];
		snprintf(period, sizeof(period), "class/pwm/pwmchip0/%s/period", channels[i]);
		snprintf(duty, sizeof(duty), "class/pwm/pwmchip0/%s/duty_cycle", channels[i]);
		snprintf(name, sizeof(name), "class/pwm/pwmchip0/%s/enable", channels[i]);
		const long value = strtol(text, NULL, 10), period_ns = fake_number(&rig.fake, period);
		if (ends_like(fd, period))
			return value == 0 || value < fake_number(&rig.fake, duty);
		if (ends_like(fd, duty))
			return period_ns == 0 || value > period_ns;
		if (ends_like(fd, name))
			return period_ns == 0;
	}
	return false;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (rig.strict && kernel_refuses(fd, data)) {
		errno = EINVAL;
		return -1;
	}
	if (rig.refused == NULL || !ends_like(fd, rig.refused))
		return __real_pwrite(fd, data, len, at);
	errno = rig.refused_error;
	return rig.refused_error != 0 ? -1 : (ssize_t)len;
}

int64_t sysfs_rig_now_ms(void)
{
	return gf_now_ms(CLOCK_BOOTTIME);
}

void sysfs_rig_fail_wait(const char *expression)
{
	fail_msg("not within %d ms: %s", (int)SYSFS_RIG_SOON_MS, expression);
}

int sysfs_rig_setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	fake_sysfs_make(&rig.fake);
	return 0;
}

int sysfs_rig_teardown(void **state)
{
	(void)state;
	rig.refused = NULL;
	if (rig.driver != NULL)
		rig.driver->ops->free(rig.driver);
	fake_sysfs_remove(&rig.fake);
	return 0;
}

void sysfs_rig_open(void)
{
	struct gf_diag diag = {{0}};
	if (sysfs_driver_new(&rig.fake.config, &rig.driver, &diag) != 0)
		fail_msg("%s", diag.text);
}

bool sysfs_rig_read(void)
{
	return rig.driver->ops->read(rig.driver, sysfs_rig_now_ms(), &rig.input) == 0;
}

int sysfs_rig_write(enum driver_command command, float intensity_pct, float frequency_hz)
{
	const struct driver_output output = {
	    .command = command, .intensity_pct = intensity_pct, .frequency_hz = frequency_hz};
	return rig.driver->ops->write(rig.driver, sysfs_rig_now_ms(), &output);
}

void sysfs_rig_button(int button, const char *text)
{
	char name[64];
	snprintf(name, sizeof(name), FAKE_BUTTON, button);
	fake_write(&rig.fake, name, text);
}
