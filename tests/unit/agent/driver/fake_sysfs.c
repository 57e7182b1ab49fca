#include "tests/unit/agent/driver/fake_sysfs.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
	const char *name, *text;
} files[] = {
    {"class/pwm/pwmchip0/export", ""},
    {"class/pwm/pwmchip0/pwm0/period", "0\n"},
    {FAKE_DUTY, "0\n"},
    {FAKE_ENABLE, "0\n"},
    {"class/pwm/pwmchip0/pwm1/period", "0\n"},
    {FAKE_FREQUENCY, "0\n"},
    {"class/pwm/pwmchip0/pwm1/enable", "0\n"},
    {"class/hwmon/hwmon0/name", "lm75\n"},
    {FAKE_MOTOR_TEMP, "31500\n"},
    {"class/hwmon/hwmon0/temp2_input", "29000\n"},
    {"class/hwmon/hwmon1/name", "ina219\n"},
    {FAKE_CURRENT, "120\n"},
    {FAKE_SUPPLY, "24010\n"},
    {"class/hwmon/hwmon2/name", "pwmfan\n"},
    {FAKE_SPEED, "0\n"},
    {FAKE_ESTOP, "1\n"},
    {FAKE_COVER, "1\n"},
    {FAKE_OCCUPIED, "0\n"},
};

const char *fake_path(const struct fake_sysfs *fake, const char *name)
{
	static char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", fake->dir, name);
	return path;
}

static void make_folders(const char *path)
{
	char part[PATH_MAX];
	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = part; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
		*slash = '\0';
		(void)mkdir(part, 0755);
	}
}

/* Written, then cut: whoever reads in between sees a whole first line. Not by pwrite, which tests make fail for the driver. */
void fake_write(const struct fake_sysfs *fake, const char *name, const char *text)
{
	const char *path = fake_path(fake, name);
	make_folders(path);
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (long)strlen(text));
	assert_int_equal(ftruncate(fd, (off_t)strlen(text)), 0);
	close(fd);
}

long fake_number(const struct fake_sysfs *fake, const char *name)
{
	char text[32] = {0};
	const int fd = open(fake_path(fake, name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	const ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	char *end;
	const long value = strtol(text, &end, 10);
	return len > 0 && end != text && *end == '\n' ? value : -1;
}

void fake_time_passes(int ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	nanosleep(&time, NULL);
}

bool fake_on(const struct fake_sysfs *fake)
{
	return fake_number(fake, FAKE_DUTY) != 0 || fake_number(fake, FAKE_ENABLE) != 0;
}

static struct gpio_config line(const char *file, bool normally_closed)
{
	struct gpio_config config = {.present = true, .normally_closed = normally_closed};
	assert_true(gf_strcpy(config.file, sizeof(config.file), file));
	return config;
}

static void configure(struct fake_sysfs *fake)
{
	struct sysfs_config *c = &fake->config;
	char name[64];
	*c = (struct sysfs_config){
	    .pwm = {.present = true, .channel = 0, .period_ns = FAKE_PERIOD_NS},
	    .duty_min_pct = 20,
	    .duty_max_pct = 100,
	    .frequency = {.present = true, .channel = 1, .period_ns = FAKE_PERIOD_NS},
	    .hz_at_full = 50,
	    .estop = line(FAKE_ESTOP, true),
	    .cover = line(FAKE_COVER, true),
	    .occupied = line(FAKE_OCCUPIED, false),
	    .buttons_count = FAKE_BUTTONS,
	};
	gf_strcpy(c->root, sizeof(c->root), fake->dir);
	gf_strcpy(c->watcher, sizeof(c->watcher), GF_BINARY_DIR "/bin/gymfleet-watcher");
	gf_strcpy(c->sensors.inputs[GF_SENSOR_MOTOR_TEMP_C], SENSOR_INPUT_MAX, "lm75/temp1");
	gf_strcpy(c->sensors.inputs[GF_SENSOR_SURFACE_TEMP_C], SENSOR_INPUT_MAX, "hwmon0/temp2");
	gf_strcpy(c->sensors.inputs[GF_SENSOR_CURRENT_MA], SENSOR_INPUT_MAX, "ina219/curr1");
	gf_strcpy(c->sensors.inputs[GF_SENSOR_SUPPLY_MV], SENSOR_INPUT_MAX, "ina219/in1");
	gf_strcpy(c->sensors.inputs[GF_SENSOR_SPEED_RPM], SENSOR_INPUT_MAX, "pwmfan/fan1");
	for (int i = 0; i < FAKE_BUTTONS; i++) {
		snprintf(name, sizeof(name), FAKE_BUTTON, i);
		fake_write(fake, name, "0\n");
		c->buttons[i].line = line(name, false);
		c->buttons[i].does = (enum sysfs_button)(SYSFS_BUTTON_START + i);
	}
	c->buttons[0].routine = 1;
}

void fake_sysfs_make(struct fake_sysfs *fake)
{
	strcpy(fake->dir, "/tmp/sysfs-test-XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		fake_write(fake, files[i].name, files[i].text);
	configure(fake);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void fake_sysfs_remove(struct fake_sysfs *fake)
{
	(void)nftw(fake->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
