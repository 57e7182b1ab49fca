#include "tests/slave/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 4 };

struct words {
	char text[COMMAND_MAX];
	size_t count;
	const char *at[WORDS_MAX];
};

struct command {
	const char *name;
	size_t words; /* with the name */
	bool (*run)(struct controller *c, struct mischief *m, const struct words *w, char *reply);
};

static void split(const char *line, struct words *ret_words)
{
	char *rest = ret_words->text, *word;
	gf_strcpy(ret_words->text, sizeof(ret_words->text), line);
	ret_words->count = 0;
	while (ret_words->count < WORDS_MAX && (word = strsep(&rest, " \r\n")) != NULL) {
		if (*word != '\0')
			ret_words->at[ret_words->count++] = word;
	}
}

static bool number(const char *text, long max, long *ret_value)
{
	char *end;
	const long value = strtol(text, &end, 0);
	if (end == text || *end != '\0' || value < 0 || value > max)
		return false;
	*ret_value = value;
	return true;
}

static bool on_off(const char *text, const char *on, const char *off, bool *ret_value)
{
	if (strcmp(text, on) != 0 && strcmp(text, off) != 0)
		return false;
	*ret_value = strcmp(text, on) == 0;
	return true;
}

/* --- the controller ---------------------------------------------------------------------------------------------- */

static bool is_on(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)m;
	(void)w;
	strcpy(reply, c->on ? "on" : "off");
	return true;
}

static bool reg(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	long at;
	(void)m;
	if (!number(w->at[1], MB_OUTPUTS - 1, &at))
		return false;
	snprintf(reply, COMMAND_MAX, "%u", c->holding[at]);
	return true;
}

static bool inject(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	enum gf_fault code;
	long ms;
	(void)m;
	(void)reply;
	if (gf_fault_parse(w->at[1], &code) != 0 || !number(w->at[2], INT32_MAX, &ms))
		return false;
	controller_note(c, "inject %s %ld", w->at[1], ms);
	sim_driver_inject(c->sim, code, ms);
	return true;
}

static bool fault(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)m;
	(void)reply;
	if (strcmp(w->at[1], "none") != 0)
		return gf_fault_parse(w->at[1], &c->knobs.fault) == 0;
	c->knobs.fault = GF_FAULT_UNSPECIFIED;
	return true;
}

static bool sensor(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	enum gf_sensor which;
	char *end;
	(void)m;
	(void)reply;
	if (gf_sensor_parse(w->at[1], &which) != 0)
		return false;
	const float value = strtof(w->at[2], &end);
	if (strcmp(w->at[2], "ok") == 0)
		c->knobs.sensors[which].how = SENSOR_OK;
	else if (strcmp(w->at[2], "none") == 0)
		c->knobs.sensors[which].how = SENSOR_NONE;
	else if (strcmp(w->at[2], "freeze") == 0)
		c->knobs.sensors[which].how = SENSOR_FROZEN;
	else if (end != w->at[2] && *end == '\0')
		c->knobs.sensors[which].how = SENSOR_SET;
	else
		return false;
	c->knobs.sensors[which].value = value;
	return true;
}

static bool press(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	static const char *const buttons[] = {"stop", "pause", "pain", "up", "down", "staff"};
	long ms;
	(void)m;
	(void)reply;
	for (size_t i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++) {
		if (strcmp(buttons[i], w->at[1]) != 0 || !number(w->at[2], INT32_MAX, &ms))
			continue;
		c->knobs.pressed = (uint16_t)(1U << i);
		c->knobs.pressed_until_ms = c->now_ms + ms;
		return true;
	}
	return false;
}

static bool routine(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	long which, ms;
	(void)m;
	(void)reply;
	if (!number(w->at[1], UINT16_MAX, &which) || !number(w->at[2], INT32_MAX, &ms))
		return false;
	c->knobs.routine = (uint16_t)which;
	c->knobs.pressed_until_ms = c->now_ms + ms;
	return true;
}

static bool version(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	long value;
	(void)m;
	(void)reply;
	if (!number(w->at[1], UINT16_MAX, &value))
		return false;
	c->knobs.version = (uint16_t)value;
	return true;
}

static bool class_is(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	enum gf_class class;
	(void)m;
	(void)reply;
	if (gf_class_parse(w->at[1], &class) != 0)
		return false;
	c->knobs.class = (uint16_t) class;
	return true;
}

static bool serial(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)m;
	(void)reply;
	return gf_strcpy(c->knobs.serial, sizeof(c->knobs.serial), w->at[1]);
}

static bool dead_man(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	long ms = MB_DEAD_MAN_ASSUMED_MS;
	(void)m;
	(void)reply;
	c->knobs.has_dead_man = strcmp(w->at[1], "none") != 0;
	if (c->knobs.has_dead_man && !number(w->at[1], UINT16_MAX, &ms))
		return false;
	c->knobs.dead_man_ms = (uint16_t)ms;
	return true;
}

static bool ready(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)m;
	(void)reply;
	return on_off(w->at[1], "off", "on", &c->knobs.never_ready);
}

static bool runaway(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)m;
	(void)reply;
	return on_off(w->at[1], "on", "off", &c->knobs.runaway);
}

static bool carriage(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)m;
	(void)reply;
	return on_off(w->at[1], "stuck", "free", &c->knobs.carriage_stuck);
}

/* --- the wire ---------------------------------------------------------------------------------------------------- */

static bool count_of(const char *text, unsigned *ret_count)
{
	long value;
	if (!number(text, INT32_MAX, &value))
		return false;
	*ret_count = (unsigned)value;
	return true;
}

static bool late(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	long ms;
	(void)c;
	(void)reply;
	if (!number(w->at[1], 60000, &ms))
		return false;
	m->late_ms = (int)ms;
	return true;
}

static bool deaf(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)reply;
	controller_note(c, "deaf %s", w->at[1]);
	return on_off(w->at[1], "on", "off", &m->deaf);
}

static bool mute(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)c;
	(void)reply;
	return count_of(w->at[1], &m->mute);
}

static bool broken(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)c;
	(void)reply;
	return count_of(w->at[1], &m->broken);
}

static bool exception(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	long code;
	(void)c;
	(void)reply;
	if (!number(w->at[1], UINT8_MAX, &code) || !count_of(w->at[2], &m->exceptions))
		return false;
	m->exception = (uint8_t)code;
	return true;
}

static bool refuse(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	long function = 0;
	(void)c;
	(void)reply;
	if (strcmp(w->at[1], "off") != 0 && !number(w->at[1], UINT8_MAX, &function))
		return false;
	m->refused_function = (uint8_t)function;
	return true;
}

static bool drop(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)w;
	(void)reply;
	controller_note(c, "drop");
	m->drop = true;
	return true;
}

static bool away(struct controller *c, struct mischief *m, const struct words *w, char *reply)
{
	(void)reply;
	controller_note(c, "away %s", w->at[1]);
	m->drop = true;
	return on_off(w->at[1], "on", "off", &m->away);
}

static const struct command commands[] = {
    {"on?", 1, is_on},       {"reg", 2, reg},           {"inject", 3, inject},       {"fault", 2, fault},
    {"sensor", 3, sensor},   {"press", 3, press},       {"routine", 3, routine},     {"version", 2, version},
    {"class", 2, class_is},  {"serial", 2, serial},     {"deadman", 2, dead_man},    {"ready", 2, ready},
    {"runaway", 2, runaway}, {"carriage", 2, carriage}, {"late", 2, late},           {"deaf", 2, deaf},
    {"mute", 2, mute},       {"broken", 2, broken},     {"exception", 3, exception}, {"refuse", 2, refuse},
    {"drop", 1, drop},       {"away", 2, away},
};

void command_do(struct controller *c, struct mischief *m, const char *line, char ret_reply[static COMMAND_MAX])
{
	struct words words = {.count = 0};

	split(line, &words);
	strcpy(ret_reply, "ok");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && words.count > 0; i++) {
		if (strcmp(commands[i].name, words.at[0]) != 0)
			continue;
		if (words.count != commands[i].words || !commands[i].run(c, m, &words, ret_reply))
			snprintf(ret_reply, COMMAND_MAX, "error: '%.100s' can't be understood", line);
		return;
	}
	snprintf(ret_reply, COMMAND_MAX, "error: '%.100s' is no command", line);
}
