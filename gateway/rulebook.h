/*
 * rules.yaml as it is in force. The file is read by whoever asks for it, at once with its mistakes; what was read lies ready until the main loop's next
 * step, which hands it to the runner. A file with mistakes changes nothing.
 */
#ifndef GATEWAY_RULEBOOK_H
#define GATEWAY_RULEBOOK_H

#include "gateway/judge/judge_runner.h"
#include "gateway/rules_yaml.h"

struct rulebook;

/* `optional`: without the file there are no rules, which is logged. Errors as rules_yaml_load. */
GF_MUST_CHECK int rulebook_new(const char *path, bool optional, struct rulebook **ret_book, struct gf_diag *diag);
void rulebook_free(struct rulebook *book); /* NULL is fine */

/* Any thread. Shows `look` what is in force, which stays until it returns; returns what it returns. */
int rulebook_look(struct rulebook *book, int (*look)(void *ctx, const struct judgement_config *config), void *ctx);
/* The same with what was read last: that is in force, or will be from the next step on. */
int rulebook_look_ahead(struct rulebook *book, int (*look)(void *ctx, const struct judgement_config *config),
                        void *ctx);
/* Any thread. Reads the file again, and says how many rules it has. Errors as rules_yaml_load; then all is as it was. */
GF_MUST_CHECK int rulebook_read(struct rulebook *book, size_t *ret_rules, struct gf_diag *diag);
/* The same, but that `note` is called first with how many rules they are: what it returns but 0 is returned, and all is as it was. */
GF_MUST_CHECK int rulebook_read_noted(struct rulebook *book, int (*note)(void *ctx, size_t rules, struct gf_diag *diag),
                                      void *ctx, size_t *ret_rules, struct gf_diag *diag);

/* The main loop's. */
const struct judgement_config *rulebook_in_force(const struct rulebook *book);
/* Puts in force what lies ready. A store that refuses is logged by the caller and tried again at the next step. */
GF_MUST_CHECK int rulebook_step(struct rulebook *book, struct judge_runner *runner, struct gf_time now,
                                struct gf_diag *diag);

#endif
