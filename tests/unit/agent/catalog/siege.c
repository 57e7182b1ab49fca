#include "tests/unit/agent/catalog/siege.h"

int siege_setup(void **state)
{
	static struct siege sg;
	sg = (struct siege){.revision = 1};
	rig_init(&sg.rig, &(struct recipe){.version = 5});
	made_init(&sg.good, &(struct recipe){.version = 9});
	*state = &sg;
	return rig_open(&sg.rig);
}

int siege_teardown(void **state)
{
	struct siege *sg = *state;
	rig_link(&sg->rig, true);
	rig_install(&sg->rig, ++sg->revision, &sg->good);
	rig_deinit(&sg->rig);
	made_deinit(&sg->good);
	return 0;
}

void siege_refused(struct siege *sg, const struct made *made, enum gf_refusal refusal)
{
	rig_desire(&sg->rig, ++sg->revision, made, 0);
	if (sg->rig.fetching)
		rig_deliver(&sg->rig, made);
	rig_assert_answer(&sg->rig, sg->revision, GF_DESIRED_STEP_REFUSED, refusal);
	assert_int_equal(rig_active(&sg->rig), 5);
	assert_int_equal(update_phase(sg->rig.update), UPDATE_IDLE);
	assert_int_equal(sg->rig.given_count, 0);
}

void siege_recipe_refused(struct siege *sg, const struct recipe *recipe, enum gf_refusal refusal)
{
	struct made made;
	made_init(&made, recipe);
	siege_refused(sg, &made, refusal);
	made_deinit(&made);
}

void siege_announce(struct made *made)
{
	gf_digest_of(made->data, made->len, &made->digest);
}
