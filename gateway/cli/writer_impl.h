/* The parts of writer.c: cells, JSON and CSV there, tables for people in writer_table.c. */
#ifndef GATEWAY_CLI_WRITER_IMPL_H
#define GATEWAY_CLI_WRITER_IMPL_H

#include "gateway/cli/writer.h"

struct writer_ops {
	const char *name;
	int (*begin)(struct writer *w);
	int (*item)(struct writer *w, const json_t *item);
	int (*end)(struct writer *w);
};

struct writer {
	struct writer_options options;
	const struct writer_ops *ops;
	const struct column *columns;
	size_t columns_count;
	size_t rows;
	char **cells; /* rows * columns_count, of a table that isn't a stream */
	size_t cells_count, cells_room;
};

/* The value of a key, which may reach into objects by its dots; NULL for none. */
const json_t *writer_value_at(const json_t *item, const char *key);

int writer_table_item(struct writer *w, const json_t *item);
int writer_table_end(struct writer *w);
void writer_table_forget(struct writer *w);

#endif
