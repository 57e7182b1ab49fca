/* The certificate files of a link. Private to proto/link*.c; what others may ask of them is in link.h. */
#ifndef GF_LINK_CERT_H
#define GF_LINK_CERT_H

#include "proto/link.h"

/*
 * Checks the three files of `config` and that certificate and key belong together: -ENOENT, -EACCES, -EINVAL with `diag`, and
 * *ret_field (may be NULL) naming the one that is wrong: "ca_file", "cert_file" or "key_file".
 */
GF_MUST_CHECK int link_cert_check(const struct gf_link_config *config, struct gf_diag *diag, const char **ret_field);

#endif
