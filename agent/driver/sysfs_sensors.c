#include "agent/driver/sysfs_sensors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which inputs measure what, and what hwmon's whole numbers are to be multiplied with. Beyond the range nothing is measured: a broken
 * wire often reads as the end of the scale. */
static const struct kind {
	const char *prefix;
	float scale, min, max;
} kinds[GF_SENSOR_COUNT] = {
    [GF_SENSOR_MOTOR_TEMP_C] = {"temp", 0.001F, -55, 250}, [GF_SENSOR_SURFACE_TEMP_C] = {"temp", 0.001F, -55, 250},
    [GF_SENSOR_CURRENT_MA] = {"curr", 1, -1e6F, 1e6F},     [GF_SENSOR_SPEED_RPM] = {"fan", 1, 0, 1e5F},
    [GF_SENSOR_SUPPLY_MV] = {"in", 1, -1e6F, 1e6F},
};

const char *sensors_wrong(enum gf_sensor sensor, const char *input)
{
	const char *slash = strchr(input, '/'), *prefix = kinds[sensor].prefix;
	if (prefix == NULL)
		return "can't be had from hwmon";
	if (slash == NULL || slash == input || input[0] == '.' || strchr(slash + 1, '/') != NULL)
		return "expected CHIP/INPUT such as lm75/temp1";
	const size_t len = strlen(prefix), digits = strspn(slash + 1 + len, "0123456789");
	if (strncmp(slash + 1, prefix, len) != 0 || digits == 0 || slash[1 + len + digits] != '\0')
		return sensor == GF_SENSOR_CURRENT_MA  ? "expected a current, CHIP/currN"
		       : sensor == GF_SENSOR_SPEED_RPM ? "expected a speed, CHIP/fanN"
		       : sensor == GF_SENSOR_SUPPLY_MV ? "expected a voltage, CHIP/inN"
		                                       : "expected a temperature, CHIP/tempN";
	return NULL;
}

/* --- finding ----------------------------------------------------------------------------------------------------- */

static bool chip_is(const char *root, const char *folder, const char *name)
{
	char path[PATH_MAX], text[SENSOR_INPUT_MAX] = {0};
	if (strncmp(folder, "hwmon", 5) != 0)
		return false;
	if (strcmp(folder, name) == 0)
		return true;
	snprintf(path, sizeof(path), "%s/class/hwmon/%s/name", root, folder);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? strcspn(text, "\n") : 0] = '\0';
	return strcmp(text, name) == 0;
}

/* The one folder of the chip called `name`. */
static int find_chip(const char *root, const char *name, char ret_folder[static NAME_MAX + 1], struct gf_diag *diag)
{
	char path[PATH_MAX];
	unsigned found = 0;
	snprintf(path, sizeof(path), "%s/class/hwmon", root);
	DIR *dir = opendir(path);
	if (dir == NULL) {
		const int error = errno;
		gf_diag_set(diag, "%s: %s", path, strerror(error));
		return -error;
	}
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (!chip_is(root, entry->d_name, name))
			continue;
		found++;
		gf_strcpy(ret_folder, NAME_MAX + 1, entry->d_name);
	}
	closedir(dir);
	if (found == 1)
		return 0;
	if (found == 0)
		gf_diag_set(diag, "%s has no chip '%s'; see %s/hwmon*/name", path, name, path);
	else
		gf_diag_set(diag, "%s has %u chips called '%s'; name the one by its folder, hwmonN", path, found, name);
	return found == 0 ? -ENOENT : -EEXIST;
}

static int find_one(const char *input, const char *root, char **ret_path, struct gf_diag *diag)
{
	char chip[SENSOR_INPUT_MAX], folder[NAME_MAX + 1];
	const char *slash = strchr(input, '/');
	char *path = NULL;

	snprintf(chip, sizeof(chip), "%.*s", (int)(slash - input), input);
	const int r = find_chip(root, chip, folder, diag);
	if (r != 0)
		return r;
	if (asprintf(&path, "%s/class/hwmon/%s/%s_input", root, folder, slash + 1) < 0) {
		gf_diag_set(diag, "out of memory");
		return -ENOMEM;
	}
	if (access(path, R_OK) != 0) {
		const int error = errno;
		gf_diag_set(diag, "%s: %s", path, strerror(error));
		free(path);
		return -error;
	}
	*ret_path = path;
	return 0;
}

int sensors_find(const struct sensors_config *config, const char *root, struct sensors *sensors, struct gf_diag *diag)
{
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		const char *input = config->inputs[i];
		if (input[0] == '\0')
			continue;
		const char *wrong = sensors_wrong((enum gf_sensor)i, input);
		int r = -EINVAL;
		if (wrong != NULL)
			gf_diag_set(diag, "'%s': %s", input, wrong);
		else
			r = find_one(input, root, &sensors->paths[i], diag);
		if (r != 0) {
			gf_diag_prefix(diag, "%s", gf_sensor_name((enum gf_sensor)i));
			return r;
		}
	}
	return 0;
}

void sensors_deinit(struct sensors *sensors)
{
	for (int i = 0; i < GF_SENSOR_COUNT; i++)
		free(sensors->paths[i]);
	*sensors = (struct sensors){0};
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static float read_one(const char *path, const struct kind *kind)
{
	char text[32] = {0}, *end;
	/* Opened each time: a chip that went and came back answers again. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NAN;
	const ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return NAN;
	errno = 0;
	const long raw = strtol(text, &end, 10);
	if (end == text || (*end != '\n' && *end != '\0') || errno != 0)
		return NAN;
	const float value = (float)raw * kind->scale;
	return value >= kind->min && value <= kind->max ? value : NAN;
}

void sensors_read(const struct sensors *sensors, float ret_values[static GF_SENSOR_COUNT])
{
	for (int i = 0; i < GF_SENSOR_COUNT; i++)
		ret_values[i] = sensors->paths[i] != NULL ? read_one(sensors->paths[i], &kinds[i]) : NAN;
	/* A shunt that is wired the other way round must not hide an over-current. */
	ret_values[GF_SENSOR_CURRENT_MA] = fabsf(ret_values[GF_SENSOR_CURRENT_MA]);
}
