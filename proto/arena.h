/*
 * A bump allocator with a budget, private to the codec: whatever a hostile packet makes the decoder allocate, it ends at
 * the budget, and all of it is freed in one go. Nothing is freed singly.
 *
 * Each block remembers the size that was asked for: protobuf-c hands a string over without its length, and only the
 * block's size tells a string with a NUL inside from a shorter one.
 */
#ifndef GF_ARENA_H
#define GF_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct gf_arena_chunk;

struct gf_arena {
	size_t budget, used;             /* bytes, with what each block costs in overhead */
	bool over_budget, out_of_memory; /* why the last gf_arena_alloc returned NULL; cleared by gf_arena_reset */
	struct gf_arena_chunk *chunks;   /* newest first */
};

void gf_arena_init(struct gf_arena *arena, size_t budget);
void gf_arena_deinit(struct gf_arena *arena);

/* Forgets every block and keeps one chunk of memory for the next round. */
void gf_arena_reset(struct gf_arena *arena);

/* Aligned for any type; NULL over the budget or when there is no memory. */
void *gf_arena_alloc(struct gf_arena *arena, size_t size);

/* The size that was asked for when `block` was allocated. */
size_t gf_arena_size(const void *block);

#endif
