/* Open faults: what each is in plain words, and what a technician does about it. */
#include <string.h>

#include "gateway/health/verdict.h"

/* What answers too late, or isn't what agent.yaml says, is as lost as what is silent; only the machine itself can tell. */
#define ELSE_CHECK "; else stop the agent and run gymfleet-agent --check"

/* `derate` and `latch` where something else is to be done than usually. */
static const struct words {
	const char *what, *unit, *action, *derate, *latch;
} words[GF_FAULT_COUNT] = {
    [GF_FAULT_OVERTEMP_MOTOR] = {"the motor is too hot", " \302\260C", "let it cool, check the fan and the vents",
                                 "nothing yet: it runs slower until it has cooled; if that is often, clean the vents",
                                 "clean the vents, check the fan and whether the motor turns freely"},
    [GF_FAULT_OVERTEMP_SURFACE] = {"the surface is too hot", " \302\260C",
                                   "let it cool, check the heater and the cover",
                                   "nothing yet: it gives less until it has cooled; if that is often, check the heater",
                                   "check the heater, its sensor and the cover"},
    [GF_FAULT_OVERCURRENT] = {"the motor draws too much", " mA",
                              "check the mechanics for something jammed, then the motor", NULL,
                              "look at the drive (belt, bearings, foreign objects), then at the motor"},
    [GF_FAULT_STALL] = {"the motor stands still under power", "",
                        "free the head or the carriage; if it comes back, check the motor and its belt", NULL,
                        "look at the drive (belt, bearings, foreign objects)"},
    [GF_FAULT_ESTOP] = {"the emergency stop is pressed", "", "look why it was pressed, then release the emergency stop",
                        NULL, NULL},
    [GF_FAULT_COVER_OPEN] = {"the cover is open", "", "close the cover; if it is closed, check its switch", NULL, NULL},
    [GF_FAULT_OVERPRESSURE] = {"the pressure is too high", " mmHg",
                               "check the valve and the hoses before it is used again", NULL,
                               "check the valve, the hoses and the pressure sensor, also for leaks"},
    [GF_FAULT_LEAK] = {"the pressure doesn't build up", " mmHg", "find the leak: sleeves, hoses, connectors", NULL,
                       NULL},
    [GF_FAULT_SENSOR_LOST] = {"a sensor can't be trusted", "", "check the plug and the cable of what is named", NULL,
                              NULL},
    [GF_FAULT_COMMS_LOST] = {"the controller doesn't answer", "",
                             "check the cable to the controller and its power" ELSE_CHECK, NULL, NULL},
    [GF_FAULT_ENDSTOP_TIMEOUT] = {"an end switch was not seen in time", "",
                                  "check the end switch, and that what travels moves freely to its end", NULL,
                                  "check the end switch, its cable, and the rails from end to end"},
    [GF_FAULT_SUPPLY] = {"the supply voltage is low", " mV", "measure the supply voltage, check the power supply", NULL,
                         NULL},
    [GF_FAULT_WATCHDOG] = {"its computer is too slow", " ms",
                           "look what else runs on its computer, then into the log: journalctl -u 'gymfleet-agent@*'",
                           NULL, NULL},
    [GF_FAULT_BATTERY_LOW] = {"the battery is low", " %", "charge the battery; if it doesn't last, replace it", NULL,
                              NULL},
    [GF_FAULT_STORAGE] = {"its disk fails or is full", "",
                          "free space on the machine's disk, or replace it; sessions are kept on a reserve until then",
                          NULL, NULL},
};

/* What it means for whoever wants to use the machine. */
static const char *effect(enum gf_severity severity)
{
	switch (severity) {
	case GF_SEVERITY_INFO:
		return "it works on";
	case GF_SEVERITY_DERATE:
		return "it gives less";
	default:
		return "it is stopped";
	}
}

static struct words words_of(enum gf_fault code)
{
	static const struct words unknown = {"a fault this gateway doesn't know", "", "look at the machine", NULL, NULL};

	return (unsigned)code < GF_FAULT_COUNT && words[code].what ? words[code] : unknown;
}

/* The machine's own words say which sensor, or which axis; up to what follows from it. */
static struct phrase cause(const struct health_fault *fault)
{
	const char *text = fault->detail && *fault->detail ? fault->detail : words_of(fault->code).what;
	const char *rest = strstr(text, ": out of service");
	size_t len = rest ? (size_t)(rest - text) : strlen(text);
	struct phrase p = {""};

	memcpy(p.text, text, len < sizeof(p.text) ? len : sizeof(p.text) - 1);
	return p;
}

static struct phrase numbers(const struct health_fault *fault)
{
	const char *unit = words_of(fault->code).unit;
	struct phrase p = {""};

	if (fault->observed != fault->observed || fault->limit != fault->limit) /* NaN */
		return p;
	VERDICT_SET(p.text, " (%.4g%s, limit %.4g%s)", (double)fault->observed, unit, (double)fault->limit, unit);
	return p;
}

static const char *advice(const struct health_fault *fault)
{
	struct words w = words_of(fault->code);

	if (fault->severity == GF_SEVERITY_LATCH && w.latch)
		return w.latch;
	return fault->severity == GF_SEVERITY_DERATE && w.derate ? w.derate : w.action;
}

/* "; 5th time since 2026-11-16T08:00:00Z (4.2 d); anna knows" */
static struct phrase history(const struct verdict *v, const struct health_fault *fault)
{
	static const char *const ends[] = {"th", "st", "nd", "rd"};
	unsigned times = fault->times, last = times % 10;
	const char *end = ends[last <= 3 && times / 10 % 10 != 1 ? last : 0];
	struct phrase p = {""};

	if (times > 1)
		VERDICT_SET(p.text, "; %u%s time%s", times, end, verdict_since(v, fault->first_ms).text);
	if (fault->acked_ms > 0 && fault->acked_by && *fault->acked_by)
		VERDICT_SET(p.text, "%s; %s knows", p.text, fault->acked_by);
	return p;
}

#define THEN_THE_KEY "; then hold the staff key on the machine for 3 s"

static void latched(struct verdict *v, const struct health_fault *fault)
{
	struct health_reason *r =
	    verdict_add(v, HEALTH_CODE_OUT_OF_SERVICE, HEALTH_CRITICAL, fault->since_ms, advice(fault));

	VERDICT_SAY(r, "out of service: %s, latched%s%s", cause(fault).text, verdict_since(v, fault->since_ms).text,
	            history(v, fault).text);
	VERDICT_DO(r, "%s" THEN_THE_KEY, r->action);
}

void health_fault_say(const struct health_fault *fault, struct health_fault_words *ret_words)
{
	bool latch = fault->severity == GF_SEVERITY_LATCH;

	VERDICT_SET(ret_words->what, "%s%s", cause(fault).text, numbers(fault).text);
	VERDICT_SET(ret_words->action, "%s%s", advice(fault), latch ? THEN_THE_KEY : "");
	(void)gf_strcpy(ret_words->effect, sizeof(ret_words->effect), effect(fault->severity));
}

/* What the wire's counters make likely. */
static const char *suspect(const struct health_bus *bus)
{
	if (bus->crc_errors > bus->timeouts)
		return "answers arrive damaged: check shielding, termination and length of the cable, then the baud rate";
	if (bus->exceptions > bus->timeouts)
		return "the controller refuses what is asked: stop the agent and run gymfleet-agent --check on the machine";
	if (bus->timeouts > 0)
		return "nothing answers in time: check the controller's power, then the cable and the address" ELSE_CHECK;
	return words[GF_FAULT_COMMS_LOST].action;
}

static void wire(const struct verdict *v, struct health_reason *r)
{
	const struct health_bus *bus = &v->facts->bus;

	if (bus->timeouts + bus->crc_errors + bus->exceptions + bus->reconnects == 0)
		return;
	VERDICT_SAY(r, "%s; since its start %llu timeouts, %llu damaged answers, %llu refusals, %llu reconnects", r->text,
	            (unsigned long long)bus->timeouts, (unsigned long long)bus->crc_errors,
	            (unsigned long long)bus->exceptions, (unsigned long long)bus->reconnects);
	VERDICT_DO(r, "%s", suspect(bus));
}

/* No sensor sees it; somebody does. */
static void damage(struct verdict *v, const struct health_fault *fault)
{
	struct health_reason *r =
	    verdict_add(v, HEALTH_CODE_DAMAGE, fault->severity >= GF_SEVERITY_STOP ? HEALTH_CRITICAL : HEALTH_ATTENTION,
	                fault->since_ms, "");

	VERDICT_SAY(r, "damage%s, reported by %s: %s%s", verdict_since(v, fault->since_ms).text,
	            fault->by && *fault->by ? fault->by : "somebody",
	            fault->detail && *fault->detail ? fault->detail : "no words", history(v, fault).text);
	VERDICT_DO(r, "look at it, repair it, then gymfleet faults clear %llu --note TEXT",
	           (unsigned long long)fault->case_id);
	if (v->facts->tag.since_ms == 0)
		VERDICT_DO(r, "%s; if nobody should use it until then: gymfleet device tag %s --reason TEXT", r->action,
		           verdict_device(v));
}

void verdict_fault(struct verdict *v, const struct health_fault *fault)
{
	struct health_reason *r;

	if (fault->reported) {
		damage(v, fault);
		return;
	}
	if (fault->severity == GF_SEVERITY_LATCH) {
		latched(v, fault);
		return;
	}
	r = verdict_add(v, HEALTH_CODE_FAULT_OPEN, fault->severity >= GF_SEVERITY_STOP ? HEALTH_CRITICAL : HEALTH_ATTENTION,
	                fault->since_ms, advice(fault));
	VERDICT_SAY(r, "fault %s%s: %s%s; %s%s", gf_fault_name(fault->code), verdict_since(v, fault->since_ms).text,
	            cause(fault).text, numbers(fault).text, effect(fault->severity), history(v, fault).text);
	if (fault->code == GF_FAULT_COMMS_LOST)
		wire(v, r);
}
