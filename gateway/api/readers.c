#include "gateway/api/readers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int readers_init(struct readers *readers, const char *database)
{
	*readers = (struct readers){.database = strdup(database)};
	(void)pthread_mutex_init(&readers->lock, NULL);
	return readers->database != NULL ? 0 : -ENOMEM;
}

void readers_deinit(struct readers *readers)
{
	for (size_t i = 0; i < readers->count; i++)
		store_reader_close(readers->idle[i]);
	free(readers->database);
	(void)pthread_mutex_destroy(&readers->lock);
}

int readers_borrow(struct readers *readers, struct store_reader **ret_reader, struct gf_diag *diag)
{
	struct store_reader *reader = NULL;

	(void)pthread_mutex_lock(&readers->lock);
	if (readers->count > 0)
		reader = readers->idle[--readers->count];
	(void)pthread_mutex_unlock(&readers->lock);
	if (reader == NULL)
		return store_reader_open(readers->database, ret_reader, diag);
	*ret_reader = reader;
	return 0;
}

void readers_return(struct readers *readers, struct store_reader *reader, bool failed)
{
	(void)pthread_mutex_lock(&readers->lock);
	if (!failed && readers->count < API_THREADS) {
		readers->idle[readers->count++] = reader;
		reader = NULL;
	}
	(void)pthread_mutex_unlock(&readers->lock);
	store_reader_close(reader);
}
