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

/* Level, name, the journal's priority as in syslog(3). */
#define GF_LOG_LEVELS(X)     \
	X(ERROR, "error", 3)     \
	X(WARNING, "warning", 4) \
	X(NOTICE, "notice", 5)   \
	X(INFO, "info", 6)       \
	X(DEBUG, "debug", 7)

enum gf_log_level {
#define GF_LOG_LEVEL_ENTRY(s, name, priority) GF_LOG_##s,
	GF_LOG_LEVELS(GF_LOG_LEVEL_ENTRY)
#undef GF_LOG_LEVEL_ENTRY
	    GF_LOG_LEVEL_COUNT
};

/* Sets the least important level that is still printed; GF_LOG_INFO at start. */
void gf_log_set_level(enum gf_log_level level);

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
