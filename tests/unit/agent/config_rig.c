#include "tests/unit/agent/config_rig.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/proto/alloc_fail.h"

int config_rig_setup(void **state)
{
	static struct shipped s;
	*state = &s;
	return shipped_init(&s, "agent.yaml", "device");
}

int config_rig_teardown(void **state)
{
	return shipped_deinit(*state);
}

void config_rig_uncomment(struct shipped *s, const char *name)
{
	char first[64];
	snprintf(first, sizeof(first), "\n#driver: %s", name);
	char *shipped = strstr(s->text, "\ndriver: "), *block = strstr(s->text, first);
	assert_non_null(shipped);
	assert_non_null(block);
	char *to = shipped + 1;
	for (const char *from = block + 1; *from == '#'; from = strchr(from, '\n') + 1) {
		const size_t len = strcspn(from, "\n");
		memmove(to, from + 1, len);
		to += len;
	}
	*to = '\0';
	shipped_change(s, first + 2, first + 2);
}

void config_rig_drop(struct shipped *s, const char *section)
{
	char first[64];
	snprintf(first, sizeof(first), "\n%s:\n", section);
	char *found = strstr(s->text, first);
	assert_non_null(found);
	found[1] = '\0';
}

struct agent_config *config_rig_load(struct shipped *s)
{
	struct agent_config *config = NULL;
	s->diag.text[0] = '\0';
	if (agent_config_load(s->path, &config, &s->diag) != 0)
		fail_msg("%s", s->diag.text);
	return config;
}

void config_rig_refuses(struct shipped *s, int error, const char *sentence)
{
	struct agent_config *config = NULL;
	assert_int_equal(agent_config_load(s->path, &config, &s->diag), error);
	assert_null(config);
	shipped_expect(s, sentence);
}

void config_rig_refuses_all(struct shipped *s, const struct config_mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		shipped_change(s, mistakes[i].from, mistakes[i].to);
		config_rig_refuses(s, -EINVAL, mistakes[i].said);
	}
}

void config_rig_starve(struct shipped *s)
{
	int failures = 0;
	for (;; failures++) {
		struct agent_config *config = NULL;
		s->diag.text[0] = '\0';
		alloc_fail_after(failures);
		const int r = agent_config_load(s->path, &config, &s->diag);
		alloc_fail_after(-1);
		if (r == 0) {
			agent_config_free(config);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_true(strstr(s->diag.text, "out of memory") != NULL || strstr(s->diag.text, "Cannot allocate") != NULL);
		assert_null(config);
	}
	assert_true(failures >= 10);
}
