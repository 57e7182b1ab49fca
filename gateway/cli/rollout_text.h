/* A rollout of the API in words and bars, for `rollout ...` and `status`. */
#ifndef GATEWAY_CLI_ROLLOUT_TEXT_H
#define GATEWAY_CLI_ROLLOUT_TEXT_H

#include "gateway/cli/cli.h"

enum { ROLLOUT_LINE_MAX = 768, ROLLOUT_BAR_MAX = 60, ROLLOUT_BAR_SIZE = 3 * ROLLOUT_BAR_MAX + 1 };

/* "12" or "percussion@8" as a path of the API: /v1/rollouts/12 + suffix. */
enum cli_exit rollout_path(struct cli *cli, const char *which, const char *suffix, char *buf, size_t size);

/* A count of a step: of a rollout, or of one of its waves. */
long long rollout_count(const json_t *object, const char *step);
long long rollout_number(const json_t *object, const char *key);
const char *rollout_word(const json_t *object, const char *key); /* "" for none */
/* Nothing goes on any more; halted counts as an end. */
bool rollout_over(const json_t *rollout);

/* How many of the machines are through, 0..1; rolling back, how many are back. */
double rollout_share(const json_t *object);
/* A bar of `width` columns, at most ROLLOUT_BAR_MAX, filled as far as machines are through: "███████░░░". */
void rollout_bar(const json_t *object, size_t width, char buf[static ROLLOUT_BAR_SIZE]);
/* "7 installed · 1 in use · 0 failed": what isn't zero, and always the failed. */
void rollout_counts(const json_t *object, char buf[static ROLLOUT_LINE_MAX]);
/* "running: wave 2 of 3, watched until 17:42" */
void rollout_state(const struct cli *cli, const json_t *rollout, char buf[static ROLLOUT_LINE_MAX]);
/* May machines leave its catalogs again, by the catalogs' own word; of a rollout that was asked for alone. */
bool rollout_goes_back(const json_t *rollout);
/* What a person may do now, with the command to type. */
void rollout_advice(const json_t *rollout, char buf[static ROLLOUT_LINE_MAX]);
/* One wave as a line: "wave 2  ███░░░  37 %  3 of 8  2 installed · 0 failed" */
void rollout_wave_line(const json_t *wave, size_t width, char buf[static ROLLOUT_LINE_MAX]);

/* Wall ms of an RFC 3339 text; 0 for none. */
int64_t rollout_time(const json_t *object, const char *key);

#endif
