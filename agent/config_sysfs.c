#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_section.h"
#include "proto/link_config.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define STRICT CYAML_FLAG_STRICT

enum { AT_MAX = 96 };

/* --- the schema -------------------------------------------------------------------------------------------------- */

enum { CONTACT_NORMALLY_CLOSED = 1, CONTACT_NORMALLY_OPEN };

static const cyaml_strval_t contact_names[] = {
    {"normally_closed", CONTACT_NORMALLY_CLOSED},
    {"normally_open", CONTACT_NORMALLY_OPEN},
};
static const cyaml_strval_t pull_names[] = {
    {"none", GPIO_PULL_NONE},
    {"up", GPIO_PULL_UP},
    {"down", GPIO_PULL_DOWN},
};
static const cyaml_strval_t button_names[] = {
    {"start", SYSFS_BUTTON_START},
    {"stop", SYSFS_BUTTON_STOP},
    {"pause", SYSFS_BUTTON_PAUSE},
    {"pain", SYSFS_BUTTON_PAIN},
    {"intensity_up", SYSFS_BUTTON_INTENSITY_UP},
    {"intensity_down", SYSFS_BUTTON_INTENSITY_DOWN},
    {"staff_key", SYSFS_BUTTON_STAFF_KEY},
};

#define LINE_FIELDS(type, member)                                                           \
	CYAML_FIELD_STRING("file", OPTIONAL, type, member file, 1),                             \
	    CYAML_FIELD_STRING("chip", OPTIONAL, type, member chip, 1),                         \
	    CYAML_FIELD_UINT("line", OPTIONAL, type, member line),                              \
	    CYAML_FIELD_BOOL("active_low", OPTIONAL, type, member active_low),                  \
	    CYAML_FIELD_ENUM("contact", OPTIONAL | STRICT, type, member contact, contact_names, \
	                     CYAML_ARRAY_LEN(contact_names)),                                   \
	    CYAML_FIELD_ENUM("pull", OPTIONAL | STRICT, type, member pull, pull_names, CYAML_ARRAY_LEN(pull_names))

static const cyaml_schema_field_t line_fields[] = {
    LINE_FIELDS(struct config_line_yaml, ),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t button_fields[] = {
    CYAML_FIELD_ENUM("does", STRICT, struct config_button_yaml, does, button_names, CYAML_ARRAY_LEN(button_names)),
    CYAML_FIELD_UINT("routine", OPTIONAL, struct config_button_yaml, routine),
    LINE_FIELDS(struct config_button_yaml, line.),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t button_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_button_yaml, button_fields),
};

#define CHANNEL_FIELDS                                                          \
	CYAML_FIELD_UINT("chip", OPTIONAL, struct config_pwm_yaml, chip),           \
	    CYAML_FIELD_UINT("channel", OPTIONAL, struct config_pwm_yaml, channel), \
	    CYAML_FIELD_UINT("period_ns", CYAML_FLAG_DEFAULT, struct config_pwm_yaml, period_ns)
static const cyaml_schema_field_t pwm_fields[] = {
    CHANNEL_FIELDS,
    CYAML_FIELD_FLOAT("duty_min_pct", OPTIONAL, struct config_pwm_yaml, duty_min_pct),
    CYAML_FIELD_FLOAT("duty_max_pct", OPTIONAL, struct config_pwm_yaml, duty_max_pct),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t frequency_fields[] = {
    CHANNEL_FIELDS,
    CYAML_FIELD_FLOAT("hz_at_full", CYAML_FLAG_DEFAULT, struct config_pwm_yaml, hz_at_full),
    CYAML_FIELD_END,
};

#define SENSOR_FIELD(s, n) CYAML_FIELD_STRING(n, OPTIONAL, struct sensors_config, inputs[GF_SENSOR_##s], 1),
static const cyaml_schema_field_t sensor_fields[] = {
    GF_SENSORS(SENSOR_FIELD) CYAML_FIELD_END,
};

const cyaml_schema_field_t config_sysfs_fields[] = {
    CYAML_FIELD_STRING_PTR("root", OPTIONAL | CYAML_FLAG_POINTER, struct config_sysfs_yaml, root, 1,
                           SYSFS_ROOT_MAX - 1),
    CYAML_FIELD_STRING_PTR("watcher", OPTIONAL | CYAML_FLAG_POINTER, struct config_sysfs_yaml, watcher, 1,
                           SYSFS_ROOT_MAX - 1),
    CYAML_FIELD_MAPPING("pwm", CYAML_FLAG_DEFAULT, struct config_sysfs_yaml, pwm, pwm_fields),
    CYAML_FIELD_MAPPING_PTR("frequency", OPTIONAL | CYAML_FLAG_POINTER, struct config_sysfs_yaml, frequency,
                            frequency_fields),
    CYAML_FIELD_MAPPING_PTR("sensors", OPTIONAL | CYAML_FLAG_POINTER, struct config_sysfs_yaml, sensors, sensor_fields),
    CYAML_FIELD_MAPPING("estop", CYAML_FLAG_DEFAULT, struct config_sysfs_yaml, estop, line_fields),
    CYAML_FIELD_MAPPING_PTR("cover", OPTIONAL | CYAML_FLAG_POINTER, struct config_sysfs_yaml, cover, line_fields),
    CYAML_FIELD_MAPPING_PTR("occupied", OPTIONAL | CYAML_FLAG_POINTER, struct config_sysfs_yaml, occupied, line_fields),
    CYAML_FIELD_SEQUENCE("buttons", OPTIONAL | CYAML_FLAG_POINTER, struct config_sysfs_yaml, buttons, &button_schema, 0,
                         SYSFS_BUTTONS_MAX),
    CYAML_FIELD_END,
};

/* --- outputs ----------------------------------------------------------------------------------------------------- */

static int take_channel(const struct config_check *c, const char *at, const struct config_pwm_yaml *from,
                        struct pwm_config *pwm)
{
	static const struct {
		const char *key;
		size_t offset;
		double low, high;
	} keys[] = {
	    {"chip", offsetof(struct config_pwm_yaml, chip), 0, UINT16_MAX},
	    {"channel", offsetof(struct config_pwm_yaml, channel), 0, UINT16_MAX},
	    {"period_ns", offsetof(struct config_pwm_yaml, period_ns), PWM_PERIOD_MIN_NS, PWM_PERIOD_MAX_NS},
	};
	char key[AT_MAX];
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		unsigned value;
		memcpy(&value, (const char *)from + keys[i].offset, sizeof(value));
		snprintf(key, sizeof(key), "%s.%s", at, keys[i].key);
		const int r = config_in_range(c, key, value, keys[i].low, keys[i].high);
		if (r != 0)
			return r;
	}
	*pwm = (struct pwm_config){.present = true,
	                           .chip = (uint16_t)from->chip,
	                           .channel = (uint16_t)from->channel,
	                           .period_ns = from->period_ns};
	return 0;
}

static int take_outputs(const struct config_check *c, const struct config_sysfs_yaml *from, struct sysfs_config *sysfs)
{
	int r = take_channel(c, "sysfs.pwm", &from->pwm, &sysfs->pwm);
	if (r != 0)
		return r;
	sysfs->duty_min_pct = from->pwm.duty_min_pct;
	sysfs->duty_max_pct = gf_yaml_has(c->doc, "sysfs.pwm.duty_max_pct") ? from->pwm.duty_max_pct : 100;
	if ((r = config_in_range(c, "sysfs.pwm.duty_min_pct", sysfs->duty_min_pct, 0, 100)) != 0 ||
	    (r = config_in_range(c, "sysfs.pwm.duty_max_pct", sysfs->duty_max_pct, 0, 100)) != 0)
		return r;
	if (sysfs->duty_min_pct >= sysfs->duty_max_pct)
		return gf_yaml_fail(c->doc, "sysfs.pwm.duty_min_pct", c->diag,
		                    "duty_min_pct (%g) must be below duty_max_pct (%g)", (double)sysfs->duty_min_pct,
		                    (double)sysfs->duty_max_pct);
	if (from->frequency == NULL)
		return 0;
	sysfs->hz_at_full = from->frequency->hz_at_full;
	if ((r = take_channel(c, "sysfs.frequency", from->frequency, &sysfs->frequency)) != 0 ||
	    (r = config_in_range(c, "sysfs.frequency.hz_at_full", sysfs->hz_at_full, 1, 1000)) != 0)
		return r;
	if (sysfs->frequency.chip == sysfs->pwm.chip && sysfs->frequency.channel == sysfs->pwm.channel)
		return gf_yaml_fail(c->doc, "sysfs.frequency", c->diag,
		                    "the frequency needs a channel of its own; channel %u of chip %u is the motor's",
		                    sysfs->pwm.channel, sysfs->pwm.chip);
	return 0;
}

/* --- sensors ----------------------------------------------------------------------------------------------------- */

static int take_sensors(const struct config_check *c, const struct sensors_config *from, struct sysfs_config *sysfs)
{
	char at[AT_MAX];
	if (from == NULL)
		return 0;
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		const char *wrong = from->inputs[i][0] != '\0' ? sensors_wrong((enum gf_sensor)i, from->inputs[i]) : NULL;
		snprintf(at, sizeof(at), "sysfs.sensors.%s", gf_sensor_name((enum gf_sensor)i));
		if (wrong != NULL)
			return gf_yaml_fail(c->doc, at, c->diag, "%s is '%s'; %s", at, from->inputs[i], wrong);
	}
	sysfs->sensors = *from;
	return 0;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* Does what holds the line while its circuit is open hold it at the level of a closed one? */
static bool pulled_closed(const struct gpio_config *line)
{
	return line->pull == (line->active_low ? GPIO_PULL_DOWN : GPIO_PULL_UP);
}

static int take_line(const struct config_check *c, const char *at, const struct config_line_yaml *from,
                     bool normally_closed, struct gpio_config *line)
{
	char number[AT_MAX + 16];
	snprintf(number, sizeof(number), "%s.line", at);
	const bool by_file = from->file[0] != '\0', by_chip = from->chip[0] != '\0' && gf_yaml_has(c->doc, number);

	*line = (struct gpio_config){
	    .present = true,
	    .line = from->line,
	    .active_low = from->active_low,
	    .normally_closed = from->contact != 0 ? from->contact == CONTACT_NORMALLY_CLOSED : normally_closed,
	    .pull = (enum gpio_pull)from->pull,
	};
	gf_strcpy(line->file, sizeof(line->file), from->file);
	gf_strcpy(line->chip, sizeof(line->chip), from->chip);
	if (by_file == by_chip || (by_file && from->chip[0] != '\0'))
		return gf_yaml_fail(c->doc, at, c->diag, "%s needs either 'chip' and 'line', or 'file'", at);
	if (by_file && from->pull != 0)
		return gf_yaml_fail(c->doc, at, c->diag, "%s: a file has no pull; use 'chip' and 'line', or leave it out", at);
	if (pulled_closed(line))
		return gf_yaml_fail(c->doc, at, c->diag,
		                    "%s: with pull: %s a broken wire looks like a closed contact; expected %s or none", at,
		                    line->pull == GPIO_PULL_UP ? "up" : "down", line->pull == GPIO_PULL_UP ? "down" : "up");
	return 0;
}

static int take_button(const struct config_check *c, size_t i, const struct config_button_yaml *from,
                       struct sysfs_button_config *button)
{
	char at[AT_MAX], routine[AT_MAX + 16];
	snprintf(at, sizeof(at), "sysfs.buttons[%zu]", i);
	snprintf(routine, sizeof(routine), "%s.routine", at);
	button->does = (enum sysfs_button)from->does;
	button->routine = (uint16_t)from->routine;
	if (button->does != SYSFS_BUTTON_START && gf_yaml_has(c->doc, routine))
		return gf_yaml_fail(c->doc, routine, c->diag, "only a button that does 'start' has a routine");
	const int r = button->does == SYSFS_BUTTON_START ? config_in_range(c, gf_yaml_has(c->doc, routine) ? routine : at,
	                                                                   from->routine, 1, GF_CATALOG_ROUTINES_MAX)
	                                                 : 0;
	return r != 0 ? r : take_line(c, at, &from->line, false, &button->line);
}

static bool same_line(const struct gpio_config *a, const struct gpio_config *b)
{
	return a->present && b->present && a->line == b->line && strcmp(a->chip, b->chip) == 0 &&
	       strcmp(a->file, b->file) == 0;
}

static int check_apart(const struct config_check *c, const struct sysfs_config *sysfs)
{
	const struct gpio_config *lines[3 + SYSFS_BUTTONS_MAX] = {&sysfs->estop, &sysfs->cover, &sysfs->occupied};
	static const char *const names[] = {"sysfs.estop", "sysfs.cover", "sysfs.occupied"};
	char at[AT_MAX], name[GF_TEXT_MAX];
	const size_t count = 3 + sysfs->buttons_count;
	for (size_t i = 0; i < sysfs->buttons_count; i++)
		lines[3 + i] = &sysfs->buttons[i].line;
	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!same_line(lines[i], lines[j]))
				continue;
			gpio_name(lines[i], name);
			if (i < 3)
				snprintf(at, sizeof(at), "%s", names[i]);
			else
				snprintf(at, sizeof(at), "sysfs.buttons[%zu]", i - 3);
			return gf_yaml_fail(c->doc, at, c->diag, "%s is in use twice", name);
		}
	}
	return 0;
}

static int take_lines(const struct config_check *c, const struct config_sysfs_yaml *from, struct sysfs_config *sysfs)
{
	int r = take_line(c, "sysfs.estop", &from->estop, true, &sysfs->estop);
	if (r == 0 && from->cover != NULL)
		r = take_line(c, "sysfs.cover", from->cover, true, &sysfs->cover);
	if (r == 0 && from->occupied != NULL)
		r = take_line(c, "sysfs.occupied", from->occupied, false, &sysfs->occupied);
	for (size_t i = 0; i < from->buttons_count && r == 0; i++)
		r = take_button(c, i, &from->buttons[i], &sysfs->buttons[i]);
	sysfs->buttons_count = from->buttons_count;
	return r != 0 ? r : check_apart(c, sysfs);
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

static int take_path(const struct config_check *c, const char *at, const char *from, const char *otherwise,
                     char ret_path[static SYSFS_ROOT_MAX])
{
	if (from == NULL) {
		gf_strcpy(ret_path, SYSFS_ROOT_MAX, otherwise);
		return 0;
	}
	char *path = gf_path_beside(c->path, from);
	if (path == NULL)
		return -ENOMEM;
	const bool fits = gf_strcpy(ret_path, SYSFS_ROOT_MAX, path);
	free(path);
	return fits ? 0 : gf_yaml_fail(c->doc, at, c->diag, "%s: longer than %d bytes", at, SYSFS_ROOT_MAX - 1);
}

int config_sysfs_take(const struct config_check *c, const struct config_sysfs_yaml *from, struct agent_config *config)
{
	struct sysfs_config *sysfs = &config->sysfs;
	int r;

	if (from == NULL)
		return gf_yaml_fail(c->doc, "driver", c->diag,
		                    "driver: sysfs needs a section 'sysfs:' with at least 'pwm' and 'estop'");
	if (config->heat_c > 0)
		return gf_yaml_fail(c->doc, "heat_c", c->diag, "driver: sysfs has no heater; leave heat_c out");
	if ((r = take_path(c, "sysfs.root", from->root, "/sys", sysfs->root)) != 0 ||
	    (r = take_path(c, "sysfs.watcher", from->watcher, "", sysfs->watcher)) != 0 ||
	    (r = take_outputs(c, from, sysfs)) != 0 || (r = take_sensors(c, from->sensors, sysfs)) != 0)
		return r;
	return take_lines(c, from, sysfs);
}
