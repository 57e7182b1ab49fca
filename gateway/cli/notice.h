/*
 * What needs a person, in a few lines: a head with a word that has a colour, then what is known of it, indented and wrapped, then what to do.
 *
 *     warn       #12 person 00ab…, quads left: impact on one area in a day (P2)
 *                340 s, warns from 300 s, in a day
 *                since 2026-11-21 17:42 (3 h ago) · 2 times · sessions gun-berlin-01 12, 14
 *                → leave the area alone until tomorrow
 *
 * Whatever came from elsewhere may be in the texts: control characters don't reach the terminal.
 */
#ifndef GATEWAY_CLI_NOTICE_H
#define GATEWAY_CLI_NOTICE_H

#include "gateway/cli/cli.h"

void notice_head(const struct cli *cli, const char *word, const char *fmt, ...) GF_PRINTF(3, 4);
void notice_line(const struct cli *cli, const char *fmt, ...) GF_PRINTF(2, 3);
/* "→ ..." */
void notice_do(const struct cli *cli, const char *fmt, ...) GF_PRINTF(2, 3);
/* Sentences of their own, without an indent. */
void notice_say(const struct cli *cli, const char *fmt, ...) GF_PRINTF(2, 3);
/* When the machine will know what is wanted of it, if that isn't now, and that a session which runs goes on. */
void notice_reach(const struct cli *cli, const char *id, const json_t *device);
/* A line of its own in bold, an empty one before it. */
void notice_heading(const struct cli *cli, const char *title);

/* ---- values of a row ---- */

const char *field_text(const json_t *row, const char *key); /* "" for none */
bool field_number(const json_t *row, const char *key, double *ret_number);
double field_or(const json_t *row, const char *key, double otherwise);
int64_t field_time(const json_t *row, const char *key); /* wall ms; 0 = none */

enum { FIELD_MAX = 96 };
/* "2026-11-20 17:42 (3 h ago)"; "" for none. */
const char *field_when(const struct cli *cli, const json_t *row, const char *key, char buf[static FIELD_MAX]);
/* "340", "71.2", "-" for none; with the unit, which may be "". */
const char *field_measure(const json_t *row, const char *key, const char *unit, char buf[static FIELD_MAX]);

/* ---- the two kinds of rows that are told so ---- */

void flag_print(const struct cli *cli, const json_t *flag);
void case_print(const struct cli *cli, const json_t *row);
/* Of /v1/devices/{id}/wear: each part, the pace, the warranty. */
void wear_print(const struct cli *cli, const char *id, const json_t *wear);
/* Who renewed what, when; under a heading of its own. */
void wear_print_services(const struct cli *cli, const json_t *wear);
/* "acknowledged by anna 2026-11-21 18:00 (3 min ago): spoke to him", or nothing. */
void notice_acked(const struct cli *cli, const json_t *row);
/* Who did so before, if anybody did, as the answer to an acknowledgement has it. */
void notice_acked_before(const struct cli *cli, const json_t *answer);

#endif
