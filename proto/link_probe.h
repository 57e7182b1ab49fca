/*
 * Finds out why a connection wasn't made. Paho says only that it failed; the probe goes the same way once more in a
 * short-lived thread (name, TCP, TLS) and turns the first thing that fails into a sentence. Before an attempt it also
 * tries the name alone: Paho resolves names with its process-wide lock held, and a dead name server would hold up every caller.
 * Private to proto/link*.c.
 */
#ifndef GF_LINK_PROBE_H
#define GF_LINK_PROBE_H

#include "proto/link.h"

enum { LINK_PROBE_TIMEOUT_MS = 3000 }; /* for each of the steps */

enum link_probe_depth { LINK_PROBE_NAME, LINK_PROBE_ALL };

struct link_probe;

/* `wake` is called once from the probe's thread when it is done. Returns 0, -ENOMEM, -EAGAIN. */
GF_MUST_CHECK int link_probe_start(const struct gf_link_config *config, enum link_probe_depth depth,
                                   void (*wake)(void *ctx), void *ctx, struct link_probe **ret_probe);

/* True when done; *ret_reason is then filled, and empty when the probe found nothing wrong. */
bool link_probe_done(struct link_probe *probe, char *ret_reason, size_t size);

/* Doesn't wait: a probe that still runs cleans up after itself and doesn't wake anybody any more. NULL is fine. */
void link_probe_free(struct link_probe *probe);

#endif
