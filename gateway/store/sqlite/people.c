/*
 * Forgetting somebody: the token goes from all tables, then from the file. secure_delete writes zeros where it was; the write-ahead log, which
 * still has the pages as they were, is emptied; and where the file has a copy all the same (of a time before this, or of a page that was split), it
 * is written anew.
 *
 * A machine that was away may tell a session of that time later. So what was erased is known, for as long as such a session would matter, by a hash
 * of a salt and the token, and what comes with that token is taken without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/writer.h"

enum {
	SALT_LEN = 32,
	TOKEN_LEN = 8,
	TRUNCATE_TRIES = 50,
	TRUNCATE_WAIT_MS = 100,
	SCAN_BYTES = 1 << 20,
	/* The tags of SessionStarted's subject_token and staff_token, fixed64, on the wire. */
	TAG_SUBJECT = 6 << 3 | 1,
	TAG_STAFF = 7 << 3 | 1,
};
static const int64_t remember_ms = STORE_TOKEN_DAYS * INT64_C(24) * 3600 * 1000;

static void little_endian(uint64_t token, unsigned char bytes[static TOKEN_LEN])
{
	for (size_t i = 0; i < TOKEN_LEN; i++)
		bytes[i] = (unsigned char)(token >> 8 * i);
}

static uint64_t from_little_endian(const unsigned char *bytes)
{
	uint64_t token = 0;

	for (size_t i = 0; i < TOKEN_LEN; i++)
		token |= (uint64_t)bytes[i] << 8 * i;
	return token;
}

/* ---- who was erased ---- */

/* The salt; *ret_any false when nobody was erased lately, which costs nothing more to know. */
static int load_salt(struct store *s, bool always, unsigned char salt[static SALT_LEN], bool *ret_any,
                     struct gf_diag *diag)
{
	struct query q;
	bool any = false;
	int rc, r;

	query_begin(&q, &s->db,
	            always ? "SELECT salt FROM erased_salt"
	                   : "SELECT salt FROM erased_salt WHERE EXISTS (SELECT 1 FROM erased)");
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		any = col_blob(&q, salt, SALT_LEN);
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_any = any;
	return r;
}

static void digest_of(const unsigned char salt[static SALT_LEN], uint64_t token, struct gf_digest *ret_digest)
{
	unsigned char bytes[SALT_LEN + TOKEN_LEN];

	memcpy(bytes, salt, SALT_LEN);
	little_endian(token, bytes + SALT_LEN);
	gf_digest_of(bytes, sizeof(bytes), ret_digest);
}

static int was_erased(struct store *s, const unsigned char salt[static SALT_LEN], uint64_t token, bool *ret_erased,
                      struct gf_diag *diag)
{
	struct gf_digest digest;
	struct query q;
	int64_t found = 0;
	int r;

	*ret_erased = false;
	if (!token)
		return 0;
	digest_of(salt, token, &digest);
	query_begin(&q, &s->db, "SELECT 1 FROM erased WHERE digest = ?");
	query_blob(&q, digest.bytes, sizeof(digest.bytes));
	r = query_value(&q, 0, &found, diag);
	*ret_erased = found != 0;
	return r;
}

/* The start that a record of a session has; NULL for all others. */
static struct gf_session_started *start_of(struct gf_record *r)
{
	if (r->kind == GF_RECORD_SESSION_STARTED)
		return &r->session_started;
	return r->kind == GF_RECORD_SESSION_ENDED ? &r->session_ended.start : NULL;
}

static bool has_token(const struct gf_record *r)
{
	const struct gf_session_started *st = start_of((struct gf_record *)(uintptr_t)r);

	return st && (st->subject_token || st->staff_token);
}

int people_told(struct apply *a, const struct gf_record *told, const struct gf_record **ret_told)
{
	unsigned char salt[SALT_LEN];
	struct gf_session_started *st;
	bool any, subject, staff;
	int r;

	*ret_told = told;
	if (!has_token(told))
		return 0;
	r = load_salt(a->store, false, salt, &any, a->diag);
	if (r || !any)
		return r;
	a->without = *told;
	st = start_of(&a->without);
	r = was_erased(a->store, salt, st->subject_token, &subject, a->diag);
	if (!r)
		r = was_erased(a->store, salt, st->staff_token, &staff, a->diag);
	if (r || (!subject && !staff))
		return r;
	if (subject)
		st->subject_token = 0;
	if (staff)
		st->staff_token = 0;
	*ret_told = &a->without;
	return 0;
}

int people_scrub(struct store *s, const void *data, size_t len, unsigned char **ret_copy, struct gf_diag *diag)
{
	const unsigned char *bytes = data;
	unsigned char salt[SALT_LEN], *copy = NULL;
	bool any = false, erased;
	int r = load_salt(s, false, salt, &any, diag);

	for (size_t i = 0; any && !r && i + 1 + TOKEN_LEN <= len; i++) {
		if (bytes[i] != TAG_SUBJECT && bytes[i] != TAG_STAFF)
			continue;
		r = was_erased(s, salt, from_little_endian(bytes + i + 1), &erased, diag);
		if (r || !erased)
			continue;
		if (!copy) {
			copy = malloc(len);
			if (!copy)
				return -ENOMEM;
			memcpy(copy, bytes, len);
			*ret_copy = copy;
		}
		memset(copy + i + 1, 0, TOKEN_LEN);
	}
	return r;
}

/* ---- out of the tables ---- */

struct step {
	const char *sql; /* ?1 the token, ?2 its bytes on the wire */
	uint64_t *count;
};

static int run_steps(struct store *s, uint64_t token, const struct step *steps, size_t count, struct gf_diag *diag)
{
	unsigned char wire[TOKEN_LEN];

	little_endian(token, wire);
	for (size_t i = 0; i < count; i++) {
		struct query q;
		int r;

		query_begin(&q, &s->db, steps[i].sql);
		query_i64(&q, (int64_t)token);
		if (sqlite3_bind_parameter_count(q.stmt) > 1)
			query_blob(&q, wire, sizeof(wire));
		r = query_run(&q, diag);
		if (r)
			return r;
		if (steps[i].count)
			*steps[i].count += (uint64_t)sqlite3_changes(s->db.handle);
	}
	return 0;
}

#define NOBODY                                                                       \
	"UPDATE sessions SET subject_token = iif(subject_token = ?1, 0, subject_token)," \
	" staff_token = iif(staff_token = ?1, 0, staff_token)"
#define FLAGS_OF "kind IN (1, 2, 3) AND key = ?1"

static int erase_rows(struct store *s, uint64_t token, struct store_erased *e, struct gf_diag *diag)
{
	const struct step steps[] = {
	    /* Each by its index: of ended sessions, and of those that run. */
	    {NOBODY " WHERE subject_token = ?1 AND subject_token <> 0 AND outcome <> 0", &e->sessions},
	    {NOBODY " WHERE staff_token = ?1 AND staff_token <> 0 AND outcome <> 0", &e->sessions},
	    {NOBODY " WHERE outcome = 0 AND (subject_token = ?1 OR staff_token = ?1)", &e->sessions},
	    {"DELETE FROM events WHERE kind = 10 AND ref IN (SELECT id FROM flags WHERE " FLAGS_OF ")", &e->events},
	    {"DELETE FROM flag_facts WHERE flag IN (SELECT id FROM flags WHERE " FLAGS_OF ")", NULL},
	    {"DELETE FROM flags WHERE " FLAGS_OF, &e->flags},
	    {"DELETE FROM judge WHERE kind IN (1, 3) AND key = ?1", NULL},
	    {"DELETE FROM quarantine WHERE ?1 IS NOT NULL AND instr(bytes, ?2) > 0", &e->quarantined},
	};
	_Static_assert(STORE_EVENT_FLAG == 10, "the events of flags");

	return run_steps(s, token, steps, sizeof(steps) / sizeof(steps[0]), diag);
}

static int remember(struct store *s, uint64_t token, int64_t now_ms, struct gf_diag *diag)
{
	unsigned char salt[SALT_LEN];
	struct gf_digest digest;
	struct query q;
	bool any = false;
	int r = load_salt(s, true, salt, &any, diag);

	if (r || !any)
		return r;
	digest_of(salt, token, &digest);
	query_begin(&q, &s->db, "INSERT OR REPLACE INTO erased (digest, until_ms) VALUES (?, ?)");
	query_blob(&q, digest.bytes, sizeof(digest.bytes));
	query_i64(&q, now_ms + remember_ms);
	return query_run(&q, diag);
}

static int erase(struct store *s, uint64_t token, const struct store_actor *actor, int64_t now_ms,
                 struct store_erased *ret_erased, struct gf_diag *diag)
{
	struct store_erased e = {0};
	char detail[STORE_REASON_MAX];
	int r = erase_rows(s, token, &e, diag);

	if (!r)
		r = people_words(s, token, diag);
	if (!r)
		r = remember(s, token, now_ms, diag);
	if (r)
		return r;
	snprintf(detail, sizeof(detail), "%llu sessions, %llu flags, %llu events, %llu quarantined messages",
	         (unsigned long long)e.sessions, (unsigned long long)e.flags, (unsigned long long)e.events,
	         (unsigned long long)e.quarantined);
	r = store_deed_add(s, actor, "subject erase", "", detail, now_ms, diag);
	if (!r)
		*ret_erased = e;
	return r;
}

/* ---- out of the file ---- */

/* In short waits, between which others may write. */
static int empty_log(struct store *s, struct gf_diag *diag)
{
	int rc = SQLITE_BUSY;

	for (int i = 0; i < TRUNCATE_TRIES && rc == SQLITE_BUSY; i++) {
		int r = store_lock(s, diag);

		if (r)
			return r;
		sqlite3_busy_timeout(s->db.handle, TRUNCATE_WAIT_MS);
		rc = sqlite3_wal_checkpoint_v2(s->db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		sqlite3_busy_timeout(s->db.handle, (int)s->options.busy_timeout_ms);
		if (rc != SQLITE_OK && rc != SQLITE_BUSY)
			rc = db_error(&s->db, rc, diag);
		store_unlock(s);
	}
	if (rc == SQLITE_BUSY) {
		gf_diag_set(diag,
		            "all of it is gone from the tables, but somebody reads the database '%s' without a pause, so "
		            "that its log still has it: call again",
		            s->path);
		return -EBUSY;
	}
	return rc;
}

/* As SQLite stores it: the shortest of its lengths that holds it, highest byte first. Of one that is shorter than any real
 * token nothing can be said: its bytes are everywhere. */
static size_t stored_bytes(uint64_t token, unsigned char bytes[static TOKEN_LEN])
{
	const int64_t value = (int64_t)token;
	const size_t len = value >= -(INT64_C(1) << 47) && value < INT64_C(1) << 47 ? 6 : TOKEN_LEN;

	if (value >= -(INT64_C(1) << 31) && value < INT64_C(1) << 31)
		return 0;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)(token >> 8 * (len - 1 - i));
	return len;
}

/* What a file must not have: the number as it is stored, and its digits as people write them. */
enum { FORMS = 3, FORM_MAX = 2 * TOKEN_LEN };
struct form {
	unsigned char bytes[FORM_MAX + 1]; /* with a NUL behind the digits */
	size_t len;                        /* 0: not looked for */
};

static void forms_of(uint64_t token, struct form forms[static FORMS])
{
	forms[0].len = stored_bytes(token, forms[0].bytes);
	forms[1].len = forms[2].len = FORM_MAX;
	(void)snprintf((char *)forms[1].bytes, sizeof(forms[1].bytes), "%016llx", (unsigned long long)token);
	(void)snprintf((char *)forms[2].bytes, sizeof(forms[2].bytes), "%016llX", (unsigned long long)token);
}

static bool has_form(const unsigned char *buf, size_t len, const struct form forms[static FORMS])
{
	for (int i = 0; i < FORMS; i++)
		if (forms[i].len && memmem(buf, len, forms[i].bytes, forms[i].len))
			return true;
	return false;
}

/* Whether the file has one of them anywhere. */
static int scan(const char *path, const struct form forms[static FORMS], bool *ret_found)
{
	unsigned char *buf = malloc(SCAN_BYTES + FORM_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	bool found = false;
	size_t kept = 0;
	ssize_t got = 1;

	if (!buf || fd < 0)
		r = buf ? -errno : -ENOMEM;
	while (!r && !found && got > 0) {
		got = read(fd, buf + kept, SCAN_BYTES);
		if (got < 0)
			r = -errno;
		if (got <= 0)
			break;
		found = has_form(buf, kept + (size_t)got, forms);
		/* What may be the beginning of one. */
		kept += (size_t)got;
		size_t rest = kept < FORM_MAX - 1 ? kept : FORM_MAX - 1;
		memmove(buf, buf + kept - rest, rest);
		kept = rest;
	}
	if (fd >= 0)
		close(fd);
	free(buf);
	if (!r)
		*ret_found = found;
	return r;
}

/* Its copy on the way is as large as all of it: not in memory. */
static int write_anew(struct store *s, struct gf_diag *diag)
{
	int r = store_lock(s, diag), back;

	if (r)
		return r;
	r = db_exec(&s->db, "PRAGMA temp_store = FILE; VACUUM", diag);
	back = db_exec(&s->db, "PRAGMA temp_store = MEMORY", diag);
	if (!r)
		r = back;
	store_unlock(s);
	return r ? r : empty_log(s, diag);
}

static int clean_file(struct store *s, uint64_t token, struct gf_diag *diag)
{
	struct form forms[FORMS];
	bool found = false;
	int r = empty_log(s, diag);

	forms_of(token, forms);
	if (!r) {
		r = scan(s->path, forms, &found);
		if (r)
			gf_diag_set(diag, "all of it is gone from the tables, but the database '%s' can't be looked through: %s",
			            s->path, strerror(-r));
	}
	return !r && found ? write_anew(s, diag) : r;
}

int store_subject_erase(struct store *s, uint64_t token, const struct store_actor *actor, int64_t now_ms,
                        struct store_erased *ret_erased, struct gf_diag *diag)
{
	struct store_erased erased = {0};
	int r;

	if (!token) {
		gf_diag_set(diag, "0 is nobody's token");
		return -EINVAL;
	}
	r = store_begin(s, diag);
	if (r)
		return r;
	r = store_finish(s, erase(s, token, actor, now_ms, &erased, diag), diag);
	if (!r)
		r = clean_file(s, token, diag);
	if (!r)
		*ret_erased = erased;
	return r;
}
