/* Certificates for tests that read them but never connect: self-signed, made in no time. */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H

/* Writes `dir`/`file`.pem and .key (mode 0600) for this common name; NULL: a certificate without one. 0 or -1. */
int certs_make(const char *dir, const char *file, const char *common_name);

#endif
