/*
 * A configuration file of ours with one thing changed: what is shipped is copied to a folder that has the certificates, so
 * that it loads there, and each test replaces a piece of its text by what a person might have written instead.
 */
#ifndef TESTS_SHIPPED_H
#define TESTS_SHIPPED_H

#include "proto/base/err.h"

struct shipped {
	char dir[64], path[128]; /* the folder, and the file in it */
	char *text;              /* as shipped, with the folder's paths */
	char *changed;           /* as written last */
	unsigned line, column;   /* of the last caret */
	struct gf_diag diag;
};

/* Makes the folder with pki/ca.pem, pki/NAME.pem and .key (common name NAME) and copies config/FILE. 0 or -1. */
int shipped_init(struct shipped *s, const char *file, const char *name);
int shipped_deinit(struct shipped *s);

/*
 * Writes the file with the first `from` in it replaced by `to`; fails the test when there is no `from`. A caret in `to` isn't
 * written: it marks the place that a sentence is expected to name, so that the file may grow without changing the tests.
 */
void shipped_change(struct shipped *s, const char *from, const char *to);

/* Takes the caret in this piece of the changed file instead. */
void shipped_place(struct shipped *s, const char *text);

/* s->diag must be "FILE:LINE:COLUMN: sentence" with the caret's place; "%D" in the sentence stands for the folder. */
void shipped_expect(const struct shipped *s, const char *sentence);

#endif
