/* Certificates for a whole simulated fleet, in a second instead of a minute: what deploy/pki does for one machine, in one process. */
#ifndef TESTS_INTEGRATION_MANY_CERTS_H
#define TESTS_INTEGRATION_MANY_CERTS_H

/*
 * Writes <pki>/devices/<prefix>-NN.pem and .key for NN = 01 to count, as gymfleet-sim numbers its machines, issued by the machines' CA of
 * a folder that deploy/pki has made. The machines share one key. 0 or -1 with errno or OpenSSL's reason on stderr.
 */
int many_certs_make(const char *pki, const char *prefix, unsigned count);

#endif
