/*
 * A thin layer over SQLite for this backend: opening with the right settings, cached statements whose parameters and
 * columns are taken in order, and errors turned into the store's codes and sentences.
 *
 *     struct query q;
 *     query_begin(&q, db, "SELECT id FROM devices WHERE device = ?");
 *     query_i64(&q, device);
 *     while ((r = query_step(&q)) == QUERY_ROW)
 *         col_text(&q, id, sizeof(id));
 *     r = query_end(&q, r, diag);
 *
 * A failure while preparing or binding is kept and comes out of query_step and query_end, so that no call in between
 * needs a check.
 */
#ifndef GW_STORE_DB_H
#define GW_STORE_DB_H

#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "gateway/store/store.h"

enum { DB_STATEMENTS_MAX = 512 }; /* distinct SQL texts a connection may use; a power of two */

struct db {
	sqlite3 *handle;
	char *path;
	struct {
		const char *sql; /* the address of the literal is the key */
		sqlite3_stmt *stmt;
	} cache[DB_STATEMENTS_MAX];
};

enum db_mode { DB_WRITER, DB_READER };

GF_MUST_CHECK int db_open(struct db *db, const char *path, enum db_mode mode, int64_t busy_timeout_ms,
                          struct gf_diag *diag);
void db_close(struct db *db);

/* The store's error for SQLite's `rc` on this connection, with the sentence in `diag`. 0 for success. */
int db_error(const struct db *db, int rc, struct gf_diag *diag);

/* Runs statements without parameters or results; not cached. */
GF_MUST_CHECK int db_exec(struct db *db, const char *sql, struct gf_diag *diag);

enum { QUERY_DONE = SQLITE_DONE, QUERY_ROW = SQLITE_ROW };

struct query {
	struct db *db;
	sqlite3_stmt *stmt;
	int rc;    /* the first failure */
	int param; /* last bound */
	int col;   /* next to read */
};

/* `sql` must be a literal (or live as long as the connection). */
void query_begin(struct query *q, struct db *db, const char *sql);
void query_i64(struct query *q, int64_t v);
void query_u64(struct query *q, uint64_t v);     /* above INT64_MAX it is INT64_MAX */
void query_real(struct query *q, double v);      /* NaN is NULL */
void query_text(struct query *q, const char *v); /* NULL is NULL; must live until query_end */
void query_blob(struct query *q, const void *data, size_t len);
void query_digest(struct query *q, const struct gf_digest *digest); /* zeros are NULL */

/* QUERY_ROW, QUERY_DONE, or another SQLite code. */
int query_step(struct query *q);
/* Resets the statement; `rc` is what the last query_step returned. 0 when it is ROW or DONE. */
GF_MUST_CHECK int query_end(struct query *q, int rc, struct gf_diag *diag);
/* The same after rows that somebody was given, who may have stopped the reading: then what they answered (`stopped`, not 0). */
GF_MUST_CHECK int query_stop(struct query *q, int rc, int stopped, struct gf_diag *diag);
/* Step to the end, then query_end. */
GF_MUST_CHECK int query_run(struct query *q, struct gf_diag *diag);
/* The first row's first column as an integer; `none` when there is no row or it is NULL. */
GF_MUST_CHECK int query_value(struct query *q, int64_t none, int64_t *ret_value, struct gf_diag *diag);

int64_t col_i64(struct query *q);
uint64_t col_u64(struct query *q);
double col_real(struct query *q);                               /* NaN for NULL */
float col_float(struct query *q);                               /* 0 for NULL */
bool col_null(struct query *q);                                 /* of the next column, which stays the next */
void col_text(struct query *q, char *dst, size_t size);         /* "" for NULL */
bool col_blob(struct query *q, void *dst, size_t size);         /* false unless it has exactly `size` bytes */
void col_digest(struct query *q, struct gf_digest *ret_digest); /* zeros for NULL */

#endif
