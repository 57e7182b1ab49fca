/* What MQTT 5 and X.509 say, in sentences for a person. Private to proto/link*.c. */
#ifndef GF_LINK_REASON_H
#define GF_LINK_REASON_H

#include <stdbool.h>
#include <stddef.h>

/* For an MQTT 5 reason code >= 0x80: the cause and the next step. */
const char *link_reason_mqtt(int code);

/* For a certificate of the broker that we refuse (X509_V_ERR_...); `host` is the name it should carry. */
void link_reason_verify(long x509_error, const char *host, char *ret_text, size_t size);

/* For a TLS failure that isn't about the broker's certificate: an OpenSSL error code (ERR_get_error). `ours_valid`: our own
 * certificate has not ended. */
void link_reason_tls(unsigned long error, bool ours_valid, char *ret_text, size_t size);

/* For a TCP connection that wasn't made. */
const char *link_reason_tcp(int error);

#endif
