/*
 * What the tests of judging share: machines that write down what happens to them and report it, whenever that is, to the real ingest, store and runner,
 * in virtual time and by config/rules.yaml.
 */
#ifndef TEST_JUDGE_RIG_H
#define TEST_JUDGE_RIG_H

#include "gateway/ingest/ingest.h"
#include "gateway/judge/judge_runner.h"
#include "tests/unit/gateway/store/fixture.h"

enum { JUDGE_MACHINES = 4, JUDGE_RECORDS_MAX = 400, JUDGE_FLAGS_MAX = 512 };

/* Its spool keeps all, and says what was taken. */
struct judge_machine {
	char id[GF_ID_MAX];
	enum gf_class class;
	struct gf_record records[JUDGE_RECORDS_MAX];
	size_t count, told;
	uint64_t session_no, fault_no, motor_ms;
};

struct judge_rig {
	struct fixture *f;
	struct ingest *ingest;
	struct sites *sites;
	struct judgement_config config;
	struct judge_runner *runner;
	struct gf_time now;
	bool deaf;
	size_t facts_max; /* from the next judge_reborn on; 0 = as shipped */
	uint64_t work_max;
	struct judge_machine machines[JUDGE_MACHINES];
};

/* What one session was. Zeros are: nobody, "drumming_legs", 60 s, running all the time, no areas. */
struct judge_session {
	uint64_t token, staff;
	const char *routine;
	int64_t lasts_ms, motor_ms;
	size_t areas_count;
	struct gf_area_use areas[4];
};

/* Begins at `start_ms`; machine 0 and 1 are chairs, 2 and 3 percussion with 10 m/s2, all of Berlin, which is open from 06:00 to 16:00; Lisbon, an hour behind,
 * has nobody, and is closed on Sundays and Mondays. rated_motor_h is 10. */
struct judge_rig *judge_rig_new(int64_t start_ms);
void judge_rig_free(struct judge_rig *g);
/* As after kill -9: what wasn't committed is gone. */
void judge_reborn(struct judge_rig *g);
/* The same, and from then on the sites are open at other hours, or by another clock. */
void judge_reborn_open(struct judge_rig *g, const char *zone, const char *open);
/* Rules of one's own, as a file's text. */
void judge_put_in_force(struct judge_rig *g, const char *text);
void judge_births(struct judge_rig *g);

/* Written down by machine m as of that moment; told by judge_tell. */
void judge_session(struct judge_rig *g, size_t m, int64_t ended_ms, const struct judge_session *s);
void judge_fault(struct judge_rig *g, size_t m, int64_t at_ms, enum gf_fault code);
void judge_limit(struct judge_rig *g, size_t m, int64_t at_ms, const char *rule, const char *action);
/* All that the machine has written down and not told, encoded, in one commit; the ack moves its spool on. `again`: what was told last is repeated. */
void judge_tell(struct judge_rig *g, size_t m);
void judge_tell_some(struct judge_rig *g, size_t m, size_t until);
void judge_tell_again(struct judge_rig *g, size_t m);

/* Time passes; the runner is stepped whenever it wants to be. */
void judge_run(struct judge_rig *g, int64_t until_ms);
/* Runs to 1 s after the moment and tells what the machine has of it. */
void judge_now(struct judge_rig *g, size_t m, int64_t at_ms);

/* The flags of a rule that weren't withdrawn, oldest opening first. */
size_t judge_flags(struct judge_rig *g, const char *rule, struct store_flag flags[static JUDGE_FLAGS_MAX]);
size_t judge_events(struct judge_rig *g, const char *code, uint64_t flag);
/* All flags but those of silence and withdrawn ones, as one text that says all that must not depend on the order in which things came. The caller frees it. */
char *judge_fingerprint(struct judge_rig *g);

#endif
