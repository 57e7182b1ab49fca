#include "tests/unit/gateway/health/facts.h"

struct health_facts well(void)
{
	return (struct health_facts){.device = "chair-berlin-01",
	                             .now_ms = NOON,
	                             .presence = HEALTH_ONLINE,
	                             .last_seen_ms = NOON - MINUTE,
	                             .motor_temp_c = {true, 40, 41, 42, 41},
	                             .heartbeat_ms = NOON - MINUTE,
	                             .motor_temp_stop_c = 70,
	                             .clock_known = true,
	                             .clock_synced = true,
	                             .last_record_ms = NOON - MINUTE,
	                             .cert_not_after_ms = NOON + 300 * DAY};
}

struct health_reason only(const struct health_facts *facts)
{
	struct health_reason reasons[HEALTH_REASONS_MAX];
	size_t count;
	enum health_severity worst = health_judge(facts, reasons, &count);

	assert_int_equal(count, 1);
	assert_int_equal(worst, reasons[0].severity);
	assert_true(strlen(reasons[0].text) > 0);
	assert_true(strlen(reasons[0].action) > 0);
	return reasons[0];
}

size_t count_reasons(const struct health_facts *facts)
{
	struct health_reason reasons[HEALTH_REASONS_MAX];
	size_t count;

	(void)health_judge(facts, reasons, &count);
	return count;
}
