#include "proto/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/clock.h"

enum { LINE_MAX_BYTES = 1024 };

static const struct {
	const char *name;
	int journal_priority;
} levels[GF_LOG_LEVEL_COUNT] = {
#define LEVEL(s, name, priority) [GF_LOG_##s] = {name, priority},
    GF_LOG_LEVELS(LEVEL)
#undef LEVEL
};

static _Atomic enum gf_log_level threshold = GF_LOG_INFO;

void gf_log_set_level(enum gf_log_level level)
{
	atomic_store(&threshold, level);
}

static size_t put_head(char *line, size_t size, enum gf_log_level level, const char *module)
{
	int n;
	if (getenv("JOURNAL_STREAM") != NULL) {
		n = snprintf(line, size, "<%d>%s: ", levels[level].journal_priority, module);
	} else {
		char time[GF_RFC3339_MAX];
		gf_time_format(gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).wall_ms, time);
		n = snprintf(line, size, "%s %s %s: ", time, levels[level].name, module);
	}
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

/* One write a line, so that lines of several threads and processes don't mix. */
static void GF_PRINTF(3, 0) vlog(enum gf_log_level level, const char *module, const char *fmt, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t head = put_head(line, sizeof(line) - 1, level, module);
	int n = vsnprintf(line + head, sizeof(line) - 1 - head, fmt, args);
	size_t len = head + (n < 0 ? 0 : (size_t)n);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	for (size_t i = head; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len++] = '\n';
	/* A log that can't be written has nobody to tell. */
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written;
}

void gf_log(enum gf_log_level level, const char *module, const char *fmt, ...)
{
	va_list args;
	if (level > atomic_load(&threshold))
		return;
	va_start(args, fmt);
	vlog(level, module, fmt, args);
	va_end(args);
}

void gf_log_limited(struct gf_log_limit *limit, int64_t mono_ms, enum gf_log_level level, const char *module,
                    const char *fmt, ...)
{
	va_list args;
	if (level > atomic_load(&threshold))
		return;
	if (limit->passed == 0 || mono_ms - limit->window_start_ms >= limit->interval_ms) {
		limit->window_start_ms = mono_ms;
		limit->passed = 0;
	}
	if (limit->passed >= limit->burst) {
		limit->held++;
		return;
	}
	limit->passed++;
	if (limit->held > 0) {
		gf_log(level, module, "(%u lines like the next were held back)", limit->held);
		limit->held = 0;
	}
	va_start(args, fmt);
	vlog(level, module, fmt, args);
	va_end(args);
}
