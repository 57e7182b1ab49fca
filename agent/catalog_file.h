/* The catalog that agent.yaml names. */
#ifndef AGENT_CATALOG_FILE_H
#define AGENT_CATALOG_FILE_H

#include "agent/config.h"
#include "proto/catalog.h"

/* Reads it and checks that it is for this machine's class. 0, or a negative errno with a sentence that says how to make one. */
GF_MUST_CHECK int catalog_file_load(const struct agent_config *config, struct gf_catalog *ret_catalog,
                                    struct gf_diag *diag);

#endif
