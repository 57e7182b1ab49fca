#include "proto/link_reason.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

struct sentence {
	long code;
	const char *text;
};

static const char *find(const struct sentence *table, size_t count, long code)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].code == code)
			return table[i].text;
	return NULL;
}

#define FIND(table, code) find(table, sizeof(table) / sizeof((table)[0]), code)

const char *link_reason_mqtt(int code)
{
	static const struct sentence table[] = {
	    {0x80, "the broker gave no reason; look into its log"},
	    {0x81, "the broker could not read our packet; is something else than MQTT in between?"},
	    {0x82, "the broker saw a protocol error; look into its log"},
	    {0x84, "the broker does not speak MQTT 5; use Mosquitto 2 or another MQTT 5 broker"},
	    {0x85, "the broker refused the client id; it must be the certificate's common name"},
	    {0x86, "the broker refused the user name; check the listener's certificate settings"},
	    {0x87, "not authorised; check the broker's ACL and that this certificate may use this listener"},
	    {0x88, "the broker is not available now"},
	    {0x89, "the broker is busy"},
	    {0x8a, "the broker has banned this client; ask its administrator"},
	    {0x8b, "the broker is shutting down"},
	    {0x8d, "the broker heard nothing within the keep-alive"},
	    {0x8e, "another client took over this client id; does a second process use this certificate?"},
	    {0x8f, "the broker does not allow the topic filter"},
	    {0x90, "the broker does not allow the topic"},
	    {0x93, "we sent more at once than the broker's receive maximum"},
	    {0x95, "the packet is larger than the broker's max_packet_size; raise it"},
	    {0x96, "the broker found the message rate too high"},
	    {0x97, "a quota of the broker is used up; look into its limits"},
	    {0x98, "the broker's administrator ended the connection"},
	    {0x9a, "the broker does not allow retained messages; set retain_available true"},
	    {0x9b, "the broker does not allow this QoS; set max_qos 1 or more"},
	    {0x9e, "the broker does not allow shared subscriptions"},
	    {0x9f, "the broker found the connection rate too high"},
	    {0xa2, "the broker does not allow wildcard subscriptions"},
	};
	const char *text = FIND(table, code);

	return text ? text : "the broker refused; look into its log";
}

void link_reason_verify(long x509_error, const char *host, char *ret_text, size_t size)
{
	static const char wrong_ca[] = "the broker's certificate is not from our CA; is ca_file the right one?";
	static const struct sentence table[] = {
	    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, wrong_ca},
	    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, wrong_ca},
	    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, wrong_ca},
	    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, wrong_ca},
	    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, wrong_ca},
	    {X509_V_ERR_CERT_UNTRUSTED, wrong_ca},
	    {X509_V_ERR_CERT_SIGNATURE_FAILURE, wrong_ca},
	    {X509_V_ERR_CERT_HAS_EXPIRED, "the broker's certificate has expired; make a new one (deploy/pki broker)"},
	    {X509_V_ERR_CERT_NOT_YET_VALID, "the broker's certificate is not valid yet; is this machine's clock right?"},
	    {X509_V_ERR_CERT_REVOKED, "the broker's certificate is revoked; make a new one (deploy/pki broker)"},
	    {X509_V_ERR_INVALID_PURPOSE, "the broker shows a certificate that is not for servers; use deploy/pki broker"},
	};
	const char *text = FIND(table, x509_error);

	if (x509_error == X509_V_ERR_HOSTNAME_MISMATCH || x509_error == X509_V_ERR_IP_ADDRESS_MISMATCH)
		snprintf(ret_text, size,
		         "the broker's certificate is not for the host '%s'; add it (deploy/pki broker) or mend 'host'", host);
	else
		snprintf(ret_text, size, "%s", text ? text : X509_verify_cert_error_string(x509_error));
}

void link_reason_tls(unsigned long error, bool ours_valid, char *ret_text, size_t size)
{
	static const char no_tls[] = "the other side does not speak TLS; is the port the broker's TLS listener?";
	static const char cut_off[] = "the other side ended the TLS handshake; is the port the broker's TLS listener?";
	static const char refused[] = "the broker refused our certificate; was it issued by the CA the broker trusts?";
	static const struct sentence table[] = {
	    {SSL_R_WRONG_VERSION_NUMBER, no_tls},
	    {SSL_R_PACKET_LENGTH_TOO_LONG, no_tls},
	    {SSL_R_HTTP_REQUEST, no_tls},
	    {SSL_R_UNEXPECTED_EOF_WHILE_READING, cut_off},
	    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
	     "the broker says that our certificate has expired; renew it (deploy/pki)"},
	    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "the broker says that our certificate is revoked; ask for a new one"},
	    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, refused},
	    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, refused},
	    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
	     "the broker says that our certificate is not for clients; use deploy/pki device"},
	    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, refused},
	    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, refused},
	    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the broker wants a certificate and got none; check cert_file"},
	    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the broker does not speak TLS 1.2 or later; set tls_version tlsv1.2"},
	    {SSL_R_UNSUPPORTED_PROTOCOL, "the broker does not speak TLS 1.2 or later; set tls_version tlsv1.2"},
	};
	static const char list_ended[] = "the broker takes our certificate for expired, but it is valid: the broker's "
	                                 "revocation list has ended (deploy/pki "
	                                 "crl, copy, reload), or a clock is wrong";
	const char *text = FIND(table, (long)ERR_GET_REASON(error));

	/* The same alert stands for both. */
	if (ERR_GET_REASON(error) == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED && ours_valid)
		text = list_ended;
	if (!text)
		text = ERR_reason_error_string(error);
	snprintf(ret_text, size, "%s", text ? text : cut_off);
}

const char *link_reason_tcp(int error)
{
	static const struct sentence table[] = {
	    {ECONNREFUSED, "connection refused: nobody listens there; is the broker running, is the port right?"},
	    {ECONNRESET, "the connection was reset; is the port the broker's?"},
	    {ETIMEDOUT, "no answer; is the machine on, does a firewall stand in between?"},
	    {EHOSTUNREACH, "the host cannot be reached; check the network"},
	    {ENETUNREACH, "the network cannot be reached; check cable, Wi-Fi and routes"},
	};
	const char *text = FIND(table, error);

	return text ? text : strerror(error);
}
