#include "proto/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = alignof(max_align_t), HEADER = ALIGN, CHUNK_SIZE = 8 * 1024 };

_Static_assert(HEADER >= sizeof(size_t), "a block's header holds its size");

struct gf_arena_chunk {
	struct gf_arena_chunk *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

void gf_arena_init(struct gf_arena *arena, size_t budget)
{
	*arena = (struct gf_arena){.budget = budget};
}

static void free_chunks(struct gf_arena_chunk *chunk)
{
	while (chunk) {
		struct gf_arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
}

void gf_arena_deinit(struct gf_arena *arena)
{
	free_chunks(arena->chunks);
	gf_arena_init(arena, arena->budget);
}

void gf_arena_reset(struct gf_arena *arena)
{
	struct gf_arena_chunk *kept = arena->chunks;

	gf_arena_init(arena, arena->budget);
	if (!kept)
		return;
	free_chunks(kept->next);
	kept->next = NULL;
	kept->used = 0;
	arena->chunks = kept;
}

static struct gf_arena_chunk *add_chunk(struct gf_arena *arena, size_t needed)
{
	size_t size = needed > CHUNK_SIZE ? needed : CHUNK_SIZE;
	struct gf_arena_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk) {
		arena->out_of_memory = true;
		return NULL;
	}
	*chunk = (struct gf_arena_chunk){.next = arena->chunks, .size = size};
	arena->chunks = chunk;
	return chunk;
}

void *gf_arena_alloc(struct gf_arena *arena, size_t size)
{
	size_t left = arena->budget - arena->used;

	/* In this form the sums below can't wrap around, whatever the size. */
	if (size > left || left - size < HEADER + ALIGN) {
		arena->over_budget = true;
		return NULL;
	}
	size_t whole = HEADER + (size + ALIGN - 1) / ALIGN * ALIGN;
	struct gf_arena_chunk *chunk = arena->chunks;

	if (!chunk || chunk->size - chunk->used < whole)
		chunk = add_chunk(arena, whole);
	if (!chunk)
		return NULL;

	unsigned char *block = chunk->bytes + chunk->used;
	memcpy(block, &size, sizeof(size));
	chunk->used += whole;
	arena->used += whole;
	return block + HEADER;
}

size_t gf_arena_size(const void *block)
{
	size_t size;

	memcpy(&size, (const unsigned char *)block - HEADER, sizeof(size));
	return size;
}
