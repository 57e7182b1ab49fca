/*
 * The daemons' log: one line an event on stderr, "<time> <level> <module>: <sentence>"; under systemd
 * ($JOURNAL_STREAM set) the time is left out and the line starts with the journal's priority "<N>".
 * Only programs and their shells log; libraries and pure cores return errors instead.
 * All functions may be called from any thread.
 */
#ifndef GF_BASE_LOG_H
#define GF_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"

enum gf_log_level { GF_LOG_ERROR, GF_LOG_WARNING, GF_LOG_NOTICE, GF_LOG_INFO, GF_LOG_DEBUG, GF_LOG_LEVEL_COUNT };

/* Sets the least important level that is still printed; GF_LOG_INFO at start. */
void gf_log_set_level(enum gf_log_level level);

/* "error", "warning", ... to a level. Returns 0, or -EINVAL. */
GF_MUST_CHECK int gf_log_level_parse(const char *name, enum gf_log_level *ret_level);

/* Prints one line; control characters in the sentence are replaced by '?'. */
void gf_log(enum gf_log_level level, const char *module, const char *fmt, ...) GF_PRINTF(3, 4);

/*
 * A limit for lines that could flood: at most `burst` lines in `interval_ms`; what was held back is counted and
 * said with the next line that passes. Zero-initialise `state` but for these two.
 */
struct gf_log_limit {
	int64_t interval_ms;
	unsigned burst;
	int64_t window_start_ms;
	unsigned passed;
	unsigned held;
};
void gf_log_limited(struct gf_log_limit *limit, int64_t mono_ms, enum gf_log_level level, const char *module,
                    const char *fmt, ...) GF_PRINTF(5, 6);

#endif
