/* Judges a rule on silent_min: all follows from when the machine was heard last. Pure. */
#ifndef GW_RULES_SILENCE_H
#define GW_RULES_SILENCE_H

#include "gateway/rules/judge.h"

/* As rules_judge. */
GF_MUST_CHECK int silence_judge(const struct judge_input *input, struct judgement *ret_judgement);

#endif
