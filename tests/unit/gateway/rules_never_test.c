/*
 * Rules that can never fire, or have a part that never counts, by what machines do and by what values can be; each with the sentence that
 * says why and what to do. And those beside them that can fire, and are taken.
 */
#include "gateway/rules_yaml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int load(const char *service, const char *keys, struct gf_diag *diag)
{
	struct judgement_config config = {0};
	char text[1024];
	int r;

	snprintf(text, sizeof(text), "%srules:\n  - {id: A, title: t, advice: a,\n    %s}\n", service, keys);
	r = rules_yaml_load_text("r.yaml", text, strlen(text), &config, diag);
	if (r == 0)
		judgement_config_deinit(&config);
	return r;
}

/* What stands before the rules, the rule's keys, and the sentence without the file's name. */
static const struct {
	const char *service, *keys, *sentence;
} never[] = {
    {"", "subject: device, metric: silent_min, warn: 15, techniques: [roll]",
     "3:64: rule A: silent_min has no techniques to choose by, so nothing would count; leave it out, or choose by: "
     "classes"},
    {"", "subject: person, metric: gap_h, window: day, warn: 1e300",
     "3:56: rule A: warn is 1e+300 h, but gap_h never gets beyond 744: that holds whenever there is anything"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [D1], actions: [clamp]",
     "3:72: rule A: D1 does none of the actions, so nothing of it would count; what it does: warn, stop, refuse"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [P1], actions: [clamp]",
     "3:72: rule A: P1 does none of the actions, so nothing of it would count; what it does: warn, skip_step, refuse"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [P3], actions: [warn]",
     "3:72: rule A: P3 does none of the actions, so nothing of it would count; what it does: skip_step"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [P6], actions: [warn]",
     "3:72: rule A: P6 does none of the actions, so nothing of it would count; what it does: clamp"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [P7], actions: [warn]",
     "3:72: rule A: P7 does none of the actions, so nothing of it would count; what it does: clamp"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [P8], actions: [warn]",
     "3:72: rule A: P8 does none of the actions, so nothing of it would count; what it does: clamp, skip_step, stop, "
     "refuse, open"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [overtemp_motor], severities: [info]",
     "3:67: rule A: overtemp_motor has none of the severities, so nothing of it would count; what it can be: derate, "
     "stop, latch"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [overtemp_surface], severities: [info]",
     "3:67: rule A: overtemp_surface has none of the severities, so nothing of it would count; what it can be: derate, "
     "stop"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [overcurrent], severities: [info]",
     "3:67: rule A: overcurrent has none of the severities, so nothing of it would count; what it can be: stop"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [stall], severities: [info]",
     "3:67: rule A: stall has none of the severities, so nothing of it would count; what it can be: stop, latch"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [estop], severities: [info]",
     "3:67: rule A: estop has none of the severities, so nothing of it would count; what it can be: stop"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [leak], severities: [info]",
     "3:67: rule A: leak has none of the severities, so nothing of it would count; what it can be: stop"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [battery_low], severities: [derate]",
     "3:67: rule A: battery_low has none of the severities, so nothing of it would count; what it can be: info, stop"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [storage], severities: [derate]",
     "3:67: rule A: storage has none of the severities, so nothing of it would count; what it can be: info, stop"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [watchdog], severities: [derate]",
     "3:67: rule A: watchdog has none of the severities, so nothing of it would count; what it can be: info, stop"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [endstop_timeout], severities: [info]",
     "3:67: rule A: endstop_timeout has none of the severities, so nothing of it would count; what it can be: stop, "
     "latch"},
    {"", "subject: device, metric: faults, window: 24h, warn: 3, codes: [overpressure], severities: [info]",
     "3:67: rule A: overpressure has none of the severities, so nothing of it would count; what it can be: stop, "
     "latch"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [P1, P3], actions: [warn]",
     "3:72: rule A: P3 does none of the actions, so nothing of it would count; what it does: skip_step"},
    {"", "subject: device, metric: limit_hits, window: 24h, warn: 3, limits: [P3], actions: [skip_step, warn]",
     "3:87: rule A: none of the limits does 'warn', so it would never count; leave it out"},
    {"", "subject: device, metric: running_min, window: 24h, warn: 1600",
     "3:62: rule A: warn is 1600 min, but running_min never gets beyond 1500: the rule would never fire"},
    {"", "subject: device, metric: running_min, window: 1h, warn: 130",
     "3:61: rule A: warn is 130 min, but running_min never gets beyond 120: the rule would never fire"},
    {"", "subject: device, metric: running_min, aggregate: max, window: 1d, warn: 61",
     "3:77: rule A: warn is 61 min, but running_min never gets beyond 60: the rule would never fire"},
    {"", "subject: device, metric: running_min, aggregate: mean, classes: [percussion], window: 1d, warn: 16",
     "3:101: rule A: warn is 16 min, but running_min never gets beyond 15: the rule would never fire"},
    {"", "subject: person_area, metric: area_s, window: day, warn: 1000000",
     "3:62: rule A: warn is 1e+06 s, but area_s never gets beyond 176400: the rule would never fire"},
    {"", "subject: person_area, metric: area_s, aggregate: max, techniques: [percussion, drum], window: day, warn: 200",
     "3:110: rule A: warn is 200 s, but area_s never gets beyond 180: the rule would never fire"},
    {"", "subject: person_area, metric: area_s, aggregate: max, window: day, warn: 2300",
     "3:78: rule A: warn is 2300 s, but area_s never gets beyond 2220: the rule would never fire"},
    {"", "subject: person_area, metric: area_s, window: day, is: at_most, warn: 0",
     "3:75: rule A: warn is 0 s, but area_s is never less than 0.001: the rule would never fire"},
    {"", "subject: device, metric: pain_presses, aggregate: max, window: 7d, warn: 3",
     "3:78: rule A: warn is 3, but pain_presses never gets beyond 2: the rule would never fire"},
    {"", "subject: device, metric: pain_presses, aggregate: mean, window: 7d, warn: 2.5",
     "3:79: rule A: warn is 2.5, but pain_presses never gets beyond 2: the rule would never fire"},
    {"", "subject: device, metric: pain_presses, aggregate: max, window: 7d, warn: 1, act: 3",
     "3:86: rule A: act is 3, but pain_presses never gets beyond 2: the rule would never act"},
    {"", "subject: device, any: [{metric: faults, window: 7d, warn: 1}, {metric: battery_pct, window: 1h, warn: 101}]",
     "3:107: rule A: warn is 101 %, but battery_pct never gets beyond 100: it would never count"},
    {"", "subject: staff, metric: vibration_points, window: day, warn: 999999",
     "3:66: rule A: warn is 999999 points, but vibration_points never gets beyond 980000: the rule would never fire"},
    {"", "subject: person, depth: beyond, metric: sessions, window: 1h, warn: 3",
     "3:29: rule A: no machine goes beyond 80 %, so nothing would count; the deepest is deep"},
    {"", "subject: person_area, metric: area_s, depth: beyond, window: day, warn: 3",
     "3:50: rule A: no machine goes beyond 80 %, so nothing would count; the deepest is deep"},
    {"", "subject: device, metric: faults, part: motor, window: 1h, warn: 3",
     "3:44: faults is of the whole machine, of no part of it: leave part out"},
    {"", "subject: device, metric: part_life_pct, part: head, warn: 80",
     "3:51: rule A: no plan under service gives these machines a life of 'head', so the rule would never fire: add it "
     "there"},
    {"service:\n  - {class: percussion, parts: [{part: head, motor_h: 3}]}\n",
     "subject: device, metric: part_life_pct, part: head, classes: [chair], warn: 80",
     "5:51: rule A: no plan under service gives these machines a life of 'head', so the rule would never fire: add it "
     "there"},
    {"", "subject: device, metric: part_life_pct, part: service, warn: 80",
     "3:51: rule A: no plan under service has every for these machines, so the rule would never fire: add it there"},
    {"", "subject: device, metric: sessions, window: 24h, warn: 3, cap: warn, cap_intensity_pct: 0",
     "3:92: rule A: cap_intensity_pct is 0; allowed: above 0, below 100. So that nobody uses the machine take lock"},
    {"", "subject: device, routines: ['no such routine!'], metric: sessions, window: 1h, warn: 3",
     "3:32: rule A: no routine can be called 'no such routine!': lower-case letters, digits and '_', the first a "
     "letter"},
    {"", "subject: device, metric: use_pct, window: day, warn: 50, days: 0",
     "3:68: days is 0; give 2 or more, or leave it out"},
    {"", "subject: device, metric: sessions, window: 1h, warn: 3, times: 0",
     "3:68: times is 0; give 2 or more, or leave it out"},
    {"", "subject: device, metric: faults, window: 24h, warn: 1, times: 3, within: 24h",
     "3:67: rule A: once is enough, and then faults holds for 24 h, its window: it can't rise 3 times within 24 h. "
     "Take a shorter window or a longer within, or count by warn"},
    {"", "subject: device, metric: faults, window: 1h, warn: 1, times: 3, within: 2h",
     "3:66: rule A: once is enough, and then faults holds for 60 min, its window: it can't rise 3 times within 2.0 h. "
     "Take a shorter window or a longer within, or count by warn"},
    {"", "subject: device, metric: motor_temp_c, window: 5m, warn: 60, times: 3, within: 10m",
     "3:73: rule A: once is enough, and then motor_temp_c holds for 5 min, its window: it can't rise 3 times within 10 "
     "min. Take a shorter window or a longer within, or count by warn"},
    {"", "subject: device, metric: battery_pct, aggregate: min, window: 5m, is: below, warn: 60, times: 3, within: 10m",
     "3:99: rule A: once is enough, and then battery_pct holds for 5 min, its window: it can't rise 3 times within 10 "
     "min. Take a shorter window or a longer within, or count by warn"},
    {"", "subject: person, metric: gap_h, window: 24h, warn: 3, times: 3, within: 48h",
     "3:66: rule A: once is enough, and then gap_h holds for 24 h, its window: it can't rise 3 times within 2 d. Take "
     "a shorter window or a longer within, or count by warn"},
    {"", "subject: device, metric: sessions, window: 1h, warn: 3, act_is: critical",
     "3:69: rule A: there is no act: give one, or warn_is instead"},
    {"", "subject: device, metric: sessions, window: 1h, act: 3, warn_is: critical",
     "3:69: rule A: there is no warn: give one, or act_is instead"},
    {"", "subject: device, metric: sessions, window: 1h, warn: 3, cap: warn, cap_intensity_pct: 90",
     "3:91: rule A: cap_intensity_pct is 90, but no machine goes beyond 80 %: the cap would change nothing"},
    {"", "subject: device, metric: sessions, window: 1h, warn: 3, cap: warn, cap_intensity_pct: 80",
     "3:91: rule A: cap_intensity_pct is 80, but no machine goes beyond 80 %: the cap would change nothing"},
    {"", "subject: device, metric: sessions, window: 1h, warn: 3, cap_intensity_pct: -5",
     "3:80: rule A: cap and cap_intensity_pct belong together"},
    {"",
     "subject: device, all: [{metric: sessions, window: 1h, warn: 10}, {metric: sessions, window: 24h, is: below, "
     "warn: 5}]",
     "3:79: rule A: sessions can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: device, all: [{metric: sessions, window: day, warn: 10}, {metric: sessions, window: 48h, is: below, "
     "warn: 5}]",
     "3:80: rule A: sessions can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: person, all: [{metric: sessions, classes: [chair], window: 1h, warn: 10}, {metric: sessions, window: "
     "1h, is: below, warn: 5}]",
     "3:97: rule A: sessions can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: person, all: [{metric: sessions, depth: deep, window: 7d, warn: 5}, {metric: sessions, depth: moderate, "
     "window: 7d, is: at_most, warn: 3}]",
     "3:91: rule A: sessions can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: device, all: [{metric: sessions, routines: [a, b], window: 1h, warn: 10}, {metric: sessions, routines: "
     "[b, a], window: 1h, is: below, warn: 5}]",
     "3:97: rule A: sessions can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: device, all: [{metric: motor_temp_c, aggregate: min, window: 1h, warn: 60}, {metric: motor_temp_c, "
     "aggregate: max, window: 1h, is: below, warn: 50}]",
     "3:99: rule A: motor_temp_c can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: device, all: [{metric: motor_temp_c, aggregate: mean, window: 1h, warn: 60}, {metric: motor_temp_c, "
     "window: 1h, is: below, warn: 50}]",
     "3:100: rule A: motor_temp_c can't be so while all[0] holds, so the rule would never fire; for either of them "
     "take any"},
    {"",
     "subject: device, all: [{metric: motor_temp_c, aggregate: last, window: 1h, is: below, warn: 40}, {metric: "
     "motor_temp_c, aggregate: min, window: 1h, warn: 50}]",
     "3:111: rule A: motor_temp_c can't be so while all[0] holds, so the rule would never fire; for either of them "
     "take any"},
    {"",
     "subject: device, all: [{metric: running_min, aggregate: max, window: 1h, warn: 50}, {metric: running_min, "
     "window: 1h, is: below, warn: 20}]",
     "3:98: rule A: running_min can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: device, all: [{metric: motor_temp_c, aggregate: min, window: 2h, warn: 60}, {metric: motor_temp_c, "
     "aggregate: min, window: 1h, is: below, warn: 50}]",
     "3:99: rule A: motor_temp_c can't be so while all[0] holds, so the rule would never fire; for either of them take "
     "any"},
    {"",
     "subject: person_area, all: [{metric: area_s, techniques: [percussion], aggregate: min, window: 24h, warn: 120}, "
     "{metric: area_s, techniques: [percussion], aggregate: max, window: 24h, is: below, warn: 100}]",
     "3:126: rule A: area_s can't be so while all[0] holds, so the rule would never fire; for either of them take any"},
    {"",
     "subject: device, any: [{metric: sessions, window: day, warn: 40}, {metric: faults, window: day, warn: 5}], for: "
     "24h",
     "3:117: rule A: for is as long as what the window of faults keeps (24 h), so it would never fire"},
    {"",
     "subject: device, all: [{metric: sessions, window: 1h, warn: 3, act: 10}, {metric: sessions, window: 1h, is: "
     "below, warn: 5}]",
     "3:87: rule A: sessions can't be so while all[0] has reached act, so the rule would never act; leave act out, or "
     "change one of them"},
    {"",
     "subject: device, all: [{metric: sessions, classes: [chair], window: 1h, warn: 3}, {metric: faults, classes: "
     "[roller], window: 1h, warn: 5}]",
     "3:113: rule A: no machine is of these classes and of those before, so the rule would never fire; for either of "
     "them take any"},
};

static void what_can_never_be_is_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct gf_diag diag = {{0}};

		if (load(never[i].service, never[i].keys, &diag) != -EINVAL)
			fail_msg("taken: %s", never[i].keys);
		assert_int_equal(strncmp(diag.text, "r.yaml:", 7), 0);
		assert_string_equal(diag.text + 7, never[i].sentence);
	}
}

static const struct {
	const char *service, *keys;
} possible[] = {
    {"", "subject: device, metric: running_min, window: 1h, warn: 119"},
    {"", "subject: device, metric: running_min, aggregate: mean, classes: [percussion], window: 1d, warn: 15"},
    {"",
     "subject: person_area, metric: area_s, aggregate: max, techniques: [percussion, drum], window: day, warn: 180"},
    {"", "subject: device, metric: pain_presses, aggregate: max, window: 7d, warn: 2"},
    {"", "subject: device, metric: silent_min, classes: [chair], hours: open, warn: 15"},
    {"", "subject: person, depth: none, metric: sessions, window: 1h, warn: 3"},
    {"service:\n  - {class: percussion, parts: [{part: head, motor_h: 3}]}\n",
     "subject: device, metric: part_life_pct, part: head, warn: 80"},
    {"", "subject: device, metric: part_life_pct, part: motor, warn: 80"},
    {"", "subject: device, metric: part_life_pct, warn: 80, for: 2d"},
    {"", "subject: device, metric: sessions, window: day, warn: 5, days: 3, hours: closed"},
    {"", "subject: device, metric: faults, window: 1h, warn: 1, times: 3, within: 3h"},
    {"", "subject: device, metric: sessions, window: 24h, warn: 3, times: 3, within: 24h"},
    {"", "subject: device, all: [{metric: sessions, window: 24h, warn: 10}, {metric: sessions, window: 1h, is: below, "
         "warn: 5}]"},
    {"", "subject: device, all: [{metric: sessions, window: 12h, warn: 10}, {metric: sessions, window: day, is: below, "
         "warn: 5}]"},
    {"", "subject: device, all: [{metric: motor_temp_c, aggregate: min, window: 1h, warn: 60}, {metric: motor_temp_c, "
         "aggregate: min, window: 2h, is: below, warn: 50}]"},
    {"",
     "subject: person_area, all: [{metric: area_s, techniques: [percussion], aggregate: max, window: 24h, is: below, "
     "warn: 100}, {metric: area_s, aggregate: min, window: 24h, warn: 120}]"},
    {"", "subject: device, any: [{metric: sessions, window: day, warn: 40}, {metric: running_min, window: 24h, warn: "
         "500}], for: 24h"},
    {"", "subject: site, all: [{metric: sessions, classes: [chair], window: 1h, warn: 3}, {metric: faults, classes: "
         "[roller], window: 1h, warn: 5}]"},
    {"", "subject: device, any: [{metric: sessions, classes: [chair], window: 1h, warn: 3}, {metric: faults, classes: "
         "[roller], window: 1h, warn: 5}]"},
};

static void what_can_be_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(possible) / sizeof(possible[0]); i++) {
		struct gf_diag diag = {{0}};

		if (load(possible[i].service, possible[i].keys, &diag) != 0)
			fail_msg("%s: %s", possible[i].keys, diag.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_can_never_be_is_refused_with_the_reason),
	    cmocka_unit_test(what_can_be_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
