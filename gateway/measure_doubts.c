#include "gateway/measure_doubts.h"

/* What it measures; UNSPECIFIED: nothing that machines do again and again. */
static enum gf_sensor sensor_of(enum rule_metric metric)
{
	for (int s = 1; s < GF_SENSOR_COUNT; s++)
		if (strcmp(gf_sensor_name((enum gf_sensor)s), rule_metric_name(metric)) == 0)
			return (enum gf_sensor)s;
	return GF_SENSOR_UNSPECIFIED;
}

/* Where there are no machines held in the hand, a rule about all of them is right all the same. */
static bool goes_by_vibration(const struct rule_condition *c)
{
	return c->metric == RULE_METRIC_VIBRATION_POINTS && c->filter.classes != 0;
}

static bool is_asked(const struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		for (size_t n = 0; n < rules->items[i].conditions_count; n++) {
			const struct rule_condition *c = &rules->items[i].conditions[n];

			if (goes_by_vibration(c) || sensor_of(c->metric) != GF_SENSOR_UNSPECIFIED)
				return true;
		}
	return false;
}

struct measure_check {
	struct store_sensing told[GF_CLASS_COUNT];
	const char *file;
	measure_doubt_fn tell;
	void *ctx;
};

static void doubt_condition(const struct measure_check *k, const struct rule *rule, const struct rule_condition *c)
{
	const enum gf_sensor sensor = sensor_of(c->metric);
	uint64_t machines = 0, tell = 0;
	struct gf_diag sentence;

	if (sensor == GF_SENSOR_UNSPECIFIED && !goes_by_vibration(c))
		return;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		const struct store_sensing *told = &k->told[class];

		if (!rule_takes(c->filter.classes, class))
			continue;
		machines += sensor != GF_SENSOR_UNSPECIFIED ? told->beating : told->machines;
		tell += sensor != GF_SENSOR_UNSPECIFIED ? told->measuring[sensor] : told->vibrating;
	}
	if (machines == 0 || tell > 0)
		return;
	if (sensor != GF_SENSOR_UNSPECIFIED)
		gf_diag_set(&sentence,
		            "%s:%u: rule %s goes by %s, and of its machines (%llu) none measures it, so nothing counts; choose "
		            "other classes, or leave it out",
		            k->file, c->line, rule->id, rule_metric_name(c->metric), (unsigned long long)machines);
	else
		gf_diag_set(
		    &sentence,
		    "%s:%u: rule %s goes by %s, and of the machines of its classes (%llu) none says how it vibrates, so "
		    "nothing counts; set vibration_ms2 in their agent.yaml, or choose other classes",
		    k->file, c->line, rule->id, rule_metric_name(c->metric), (unsigned long long)machines);
	k->tell(k->ctx, sentence.text);
}

int measure_doubts(struct store_reader *reader, const struct rules *rules, const char *file, measure_doubt_fn tell,
                   void *ctx, struct gf_diag *diag)
{
	struct measure_check k = {.file = file, .tell = tell, .ctx = ctx};
	int r;

	if (!is_asked(rules))
		return 0;
	r = store_read_sensing(reader, k.told, diag);
	for (size_t i = 0; i < rules->count && r == 0; i++)
		for (size_t n = 0; n < rules->items[i].conditions_count; n++)
			doubt_condition(&k, &rules->items[i], &rules->items[i].conditions[n]);
	return r;
}
