/*
 * agent.yaml as it is shipped, with one thing changed, and loaded: what the tests of agent/config.h share. For programs made by
 * gf_add_alloc_test.
 */
#ifndef TESTS_AGENT_CONFIG_RIG_H
#define TESTS_AGENT_CONFIG_RIG_H

#include "agent/config.h"
#include "tests/unit/proto/shipped.h"

/* cmocka's; the state is a struct shipped. */
int config_rig_setup(void **state);
int config_rig_teardown(void **state);

/* Takes the comment signs off the block that begins with `#driver: NAME`, and drops the driver that is shipped. */
void config_rig_uncomment(struct shipped *s, const char *name);
/* Leaves the section out, with all that follows it: the drivers' are last. */
void config_rig_drop(struct shipped *s, const char *section);

/* The file as written last; fails the test when it is refused. The caller frees it. */
struct agent_config *config_rig_load(struct shipped *s);
/* It must be refused, with this error and this sentence at the caret's place. */
void config_rig_refuses(struct shipped *s, int error, const char *sentence);

/* What a person wrote instead, and what is said. */
struct config_mistake {
	const char *from, *to, *said;
};
/* Each of them alone is refused with -EINVAL. */
void config_rig_refuses_all(struct shipped *s, const struct config_mistake *mistakes, size_t count);

/* Memory runs out at each allocation in turn: a sentence, nothing half-made, nothing lost. */
void config_rig_starve(struct shipped *s);

#endif
