/*
 * The rules once more, slow and obvious: every definition of judge.h is evaluated from the whole set of facts, at every moment that could matter,
 * without remembering anything but the episode that is open. Shares nothing with the engine but the headers (and the calendar).
 */
#ifndef TESTS_RULES_MODEL_H
#define TESTS_RULES_MODEL_H

#include "gateway/rules/judge.h"

enum { MODEL_EPISODES_MAX = 256 };

/* Judges from the beginning of time. Returns how many. */
size_t model_judge(const struct judge_input *input, struct episode ret_episodes[static MODEL_EPISODES_MAX]);

#endif
