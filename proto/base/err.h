/*
 * Errors, said once for the whole project.
 *
 * A fallible function returns 0 on success, a negative errno for what the caller can only pass on, and a
 * positive MODULE_E_... (documented at the function) for what the caller must handle. Outputs are named ret_x,
 * come last and are untouched on failure.
 *
 * Libraries don't log. Where a person will have to act on a failure, the function also fills a struct gf_diag:
 * one sentence that says what, where, and what to do next.
 */
#ifndef GF_BASE_ERR_H
#define GF_BASE_ERR_H

#define GF_MUST_CHECK __attribute__((warn_unused_result))
#define GF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum { GF_DIAG_MAX = 768 };

/* A sentence for a person; an empty text means that nothing was said. */
struct gf_diag {
	char text[GF_DIAG_MAX];
};

/* Sets the sentence (cut at GF_DIAG_MAX - 1 bytes). `d` may be NULL: then nothing happens. */
void gf_diag_set(struct gf_diag *d, const char *fmt, ...) GF_PRINTF(2, 3);

/* Puts "<text>: " before what is already there. `d` may be NULL. */
void gf_diag_prefix(struct gf_diag *d, const char *fmt, ...) GF_PRINTF(2, 3);

#endif
