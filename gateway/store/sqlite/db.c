#include "gateway/store/sqlite/db.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "proto/base/text.h"

/* Both kinds of connection; then the writer's own. Only the writer checkpoints: it alone writes. */
static const char common_pragmas[] =
    "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;";
static const char writer_pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;"
                                     "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;"
                                     "PRAGMA secure_delete = ON;";
static const char reader_pragmas[] = "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0;";

static bool space_errno(int e)
{
	return e == ENOSPC || e == EFBIG || e == EDQUOT;
}

static int cannot_open(const struct db *db, struct gf_diag *diag)
{
	int e = db->handle ? sqlite3_system_errno(db->handle) : 0;

	if (!e)
		e = ENOENT;
	gf_diag_set(diag,
	            "cannot open the database '%s': %s; check that the folder exists and belongs to the gateway's user",
	            db->path, strerror(e));
	return -e;
}

/* The errno behind a failed write. A full disk comes as SQLITE_FULL, but a quota or a file size limit only as an I/O
 * error, and in a commit the connection doesn't keep the errno: ask the log's and the database's files. */
static int io_errno(const struct db *db)
{
	static const int which[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
	int e = db->handle ? sqlite3_system_errno(db->handle) : 0;

	for (size_t i = 0; db->handle && !e && i < sizeof(which) / sizeof(which[0]); i++) {
		sqlite3_file *file = NULL;

		if (sqlite3_file_control(db->handle, "main", which[i], &file) == SQLITE_OK && file && file->pMethods)
			(void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &e);
	}
	return e;
}

int db_error(const struct db *db, int rc, struct gf_diag *diag)
{
	const char *detail = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
	int system = (rc & 0xff) == SQLITE_IOERR ? io_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		gf_diag_set(diag,
		            "the database '%s' is locked by another process; only one gateway may use it: stop the other "
		            "one, or the tool that has it open (fuser '%s' shows which)",
		            db->path, db->path);
		return -EBUSY;
	case SQLITE_FULL:
		gf_diag_set(diag, "no space left for the database '%s'; free some on its disk, nothing is acked until then",
		            db->path);
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		gf_diag_set(diag,
		            "the database '%s' is damaged (%s); run: gymfleet doctor, then stop the gateway and restore the "
		            "file from a backup, or move it away to begin anew: the machines send again what was not acked",
		            db->path, detail);
		return STORE_E_CORRUPT;
	case SQLITE_CANTOPEN:
		return cannot_open(db, diag);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		gf_diag_set(diag, "the database '%s' may not be written; it and its folder must belong to the gateway's user",
		            db->path);
		return -EACCES;
	case SQLITE_NOMEM:
		gf_diag_set(diag, "out of memory");
		return -ENOMEM;
	case SQLITE_IOERR:
		if (space_errno(system)) {
			gf_diag_set(diag, "no space left for the database '%s' (%s); free some, nothing is acked until then",
			            db->path, strerror(system));
			return -ENOSPC;
		}
		gf_diag_set(diag, "the disk failed under the database '%s' (%s); check the disk, see the kernel's log",
		            db->path, system ? strerror(system) : detail);
		return -EIO;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
	case SQLITE_TOOBIG:
		gf_diag_set(diag, "the database '%s' refused a value: %s", db->path, detail);
		return -EINVAL;
	default:
		gf_diag_set(diag, "the database '%s' failed: %s", db->path, detail);
		return -EIO;
	}
}

int db_exec(struct db *db, const char *sql, struct gf_diag *diag)
{
	return db_error(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL), diag);
}

int db_open(struct db *db, const char *path, enum db_mode mode, int64_t busy_timeout_ms, struct gf_diag *diag)
{
	int flags = mode == DB_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	int r;

	memset(db, 0, sizeof(*db));
	db->path = strdup(path);
	if (!db->path)
		return -ENOMEM;
	r = db_error(db, sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL), diag);
	if (r)
		goto fail;
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, (int)busy_timeout_ms);
	r = db_exec(db, common_pragmas, diag);
	if (!r)
		r = db_exec(db, mode == DB_WRITER ? writer_pragmas : reader_pragmas, diag);
	if (!r)
		return 0;
fail:
	db_close(db);
	return r;
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < DB_STATEMENTS_MAX; i++)
		sqlite3_finalize(db->cache[i].stmt);
	sqlite3_close(db->handle);
	free(db->path);
	memset(db, 0, sizeof(*db));
}

void query_begin(struct query *q, struct db *db, const char *sql)
{
	size_t slot = ((uintptr_t)sql >> 3) * 0x9E3779B97F4A7C15u >> 40 & (DB_STATEMENTS_MAX - 1);

	*q = (struct query){.db = db, .rc = SQLITE_NOMEM};
	for (size_t tries = 0; tries < DB_STATEMENTS_MAX; tries++, slot = (slot + 1) & (DB_STATEMENTS_MAX - 1)) {
		if (db->cache[slot].sql == sql) {
			q->stmt = db->cache[slot].stmt;
			q->rc = SQLITE_OK;
			return;
		}
		if (!db->cache[slot].sql) {
			q->rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL);
			if (q->rc == SQLITE_OK) {
				db->cache[slot].sql = sql;
				db->cache[slot].stmt = q->stmt;
			}
			return;
		}
	}
}

static void bound(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

/* A statement that couldn't be prepared takes no parameters. */
#define BIND(q, call)             \
	do {                          \
		(q)->param++;             \
		if ((q)->rc == SQLITE_OK) \
			bound(q, call);       \
	} while (0)

void query_i64(struct query *q, int64_t v)
{
	BIND(q, sqlite3_bind_int64(q->stmt, q->param, v));
}
void query_u64(struct query *q, uint64_t v)
{
	query_i64(q, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}
void query_real(struct query *q, double v)
{
	BIND(q, sqlite3_bind_double(q->stmt, q->param, v));
}
void query_text(struct query *q, const char *v)
{
	BIND(q, sqlite3_bind_text(q->stmt, q->param, v, -1, SQLITE_STATIC));
}

void query_blob(struct query *q, const void *data, size_t len)
{
	BIND(q, sqlite3_bind_blob64(q->stmt, q->param, data, len, SQLITE_STATIC));
}

void query_digest(struct query *q, const struct gf_digest *digest)
{
	if (gf_digest_none(digest))
		BIND(q, sqlite3_bind_null(q->stmt, q->param));
	else
		query_blob(q, digest->bytes, sizeof(digest->bytes));
}

int query_step(struct query *q)
{
	q->col = 0;
	if (q->rc == SQLITE_OK) {
		int rc = sqlite3_step(q->stmt);

		if (rc == SQLITE_ROW || rc == SQLITE_DONE)
			return rc;
		q->rc = rc;
	}
	return q->rc;
}

int query_end(struct query *q, int rc, struct gf_diag *diag)
{
	/* The sentence first: reset clears what the connection says of the failure. */
	int r = db_error(q->db, q->rc != SQLITE_OK ? q->rc : rc, diag);

	if (q->stmt) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt);
	}
	return r;
}

int query_stop(struct query *q, int rc, int stopped, struct gf_diag *diag)
{
	int r = query_end(q, rc, stopped ? NULL : diag);

	return stopped ? stopped : r;
}

int query_run(struct query *q, struct gf_diag *diag)
{
	int rc;

	do
		rc = query_step(q);
	while (rc == QUERY_ROW);
	return query_end(q, rc, diag);
}

int query_value(struct query *q, int64_t none, int64_t *ret_value, struct gf_diag *diag)
{
	int rc = query_step(q);
	int64_t value = rc == QUERY_ROW && !col_null(q) ? col_i64(q) : none;
	int r = query_end(q, rc, diag);

	if (!r)
		*ret_value = value;
	return r;
}

int64_t col_i64(struct query *q)
{
	return sqlite3_column_int64(q->stmt, q->col++);
}
uint64_t col_u64(struct query *q)
{
	return (uint64_t)col_i64(q);
}
bool col_null(struct query *q)
{
	return sqlite3_column_type(q->stmt, q->col) == SQLITE_NULL;
}
double col_real(struct query *q)
{
	double v = col_null(q) ? (double)NAN : sqlite3_column_double(q->stmt, q->col);

	q->col++;
	return v;
}

float col_float(struct query *q)
{
	double v = col_real(q);

	return isnan(v) ? 0.0f : (float)v;
}

void col_text(struct query *q, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(q->stmt, q->col++);

	gf_strcpy(dst, size, text ? (const char *)text : "");
}

bool col_blob(struct query *q, void *dst, size_t size)
{
	const void *data = sqlite3_column_blob(q->stmt, q->col);
	int len = sqlite3_column_bytes(q->stmt, q->col++);

	if (!data || len < 0 || (size_t)len != size)
		return false;
	memcpy(dst, data, size);
	return true;
}

void col_digest(struct query *q, struct gf_digest *ret_digest)
{
	struct gf_digest digest = {{0}};

	(void)col_blob(q, digest.bytes, sizeof(digest.bytes));
	*ret_digest = digest;
}
