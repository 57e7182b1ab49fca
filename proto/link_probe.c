#include "proto/link_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/link_reason.h"

enum { PROBE_STACK = 256 * 1024, PROBE_REASON_MAX = 160 };

struct link_probe {
	pthread_mutex_t lock;
	enum link_probe_depth depth;
	bool done, abandoned;
	void (*wake)(void *ctx);
	void *ctx;
	char *host, *ca_file, *cert_file, *key_file;
	uint16_t port;
	char reason[PROBE_REASON_MAX];
};

static void destroy(struct link_probe *p)
{
	pthread_mutex_destroy(&p->lock);
	free(p->host);
	free(p->ca_file);
	free(p->cert_file);
	free(p->key_file);
	free(p);
}

/* 0 or an errno. */
static int connect_within(int fd, const struct addrinfo *address)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof error;

	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&wait, 1, LINK_PROBE_TIMEOUT_MS) <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

/* Back to blocking, with a time limit on each read and write: enough for one handshake. */
static bool limit_io(int fd)
{
	struct timeval limit = {.tv_sec = LINK_PROBE_TIMEOUT_MS / 1000};
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

/* NULL with the reason said. */
static struct addrinfo *resolve(struct link_probe *p)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
	char port[8];
	int r;

	snprintf(port, sizeof port, "%u", p->port);
	r = getaddrinfo(p->host, port, &hints, &addresses);
	if (r != 0) {
		snprintf(p->reason, sizeof p->reason, "the name cannot be resolved (%s); check 'host' and the DNS",
		         gai_strerror(r));
		return NULL;
	}
	return addresses;
}

/* The socket, or -1 with the reason said. */
static int connect_tcp(struct link_probe *p, const struct addrinfo *addresses)
{
	int error = EHOSTUNREACH, fd = -1;

	for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		error = fd < 0 ? errno : connect_within(fd, a);
		if (fd >= 0 && error != 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		snprintf(p->reason, sizeof p->reason, "%s", link_reason_tcp(error));
	return fd;
}

static SSL_CTX *make_context(const struct link_probe *p)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (!tls)
		return NULL;
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 || SSL_CTX_load_verify_file(tls, p->ca_file) != 1 ||
	    SSL_CTX_use_certificate_chain_file(tls, p->cert_file) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, p->key_file, SSL_FILETYPE_PEM) != 1) {
		SSL_CTX_free(tls);
		return NULL;
	}
	return tls;
}

static bool expect_host(SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	bool numeric = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;

	if (numeric)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static void explain_tls(struct link_probe *p, const SSL *ssl)
{
	unsigned long error = ERR_peek_error();
	long verify = SSL_get_verify_result(ssl);
	const X509 *ours = SSL_get_certificate(ssl);

	if (verify != X509_V_OK)
		link_reason_verify(verify, p->host, p->reason, sizeof p->reason);
	else
		link_reason_tls(error, ours && X509_cmp_current_time(X509_get0_notAfter(ours)) > 0, p->reason,
		                sizeof p->reason);
}

/* In TLS 1.3 the broker judges our certificate after our side of the handshake is done: its alert comes with the first read. */
static void shake_hands(struct link_probe *p, SSL *ssl)
{
	char byte;
	int r;

	if (SSL_connect(ssl) != 1) {
		explain_tls(p, ssl);
		return;
	}
	r = SSL_read(ssl, &byte, 1);
	if (r <= 0 && SSL_get_error(ssl, r) == SSL_ERROR_SSL)
		explain_tls(p, ssl);
}

static void probe_tls(struct link_probe *p, int fd)
{
	SSL_CTX *tls;
	SSL *ssl = NULL;

	ERR_clear_error();
	tls = make_context(p);
	if (tls)
		ssl = SSL_new(tls);
	if (!ssl)
		snprintf(p->reason, sizeof p->reason,
		         "our certificate, key or CA file cannot be loaded; check the three files");
	else if (SSL_set_fd(ssl, fd) == 1 && expect_host(ssl, p->host))
		shake_hands(p, ssl);
	SSL_free(ssl);
	SSL_CTX_free(tls);
	ERR_clear_error();
}

static void run(struct link_probe *p)
{
	struct addrinfo *addresses = resolve(p);
	int fd = -1;

	if (!addresses)
		return;
	if (p->depth == LINK_PROBE_ALL)
		fd = connect_tcp(p, addresses);
	freeaddrinfo(addresses);
	if (fd >= 0) {
		if (limit_io(fd))
			probe_tls(p, fd);
		close(fd);
	}
}

static void *probe_thread(void *arg)
{
	struct link_probe *p = arg;
	bool abandoned;

	run(p);
	pthread_mutex_lock(&p->lock);
	p->done = true;
	abandoned = p->abandoned;
	if (!abandoned)
		p->wake(p->ctx); /* under the lock: once abandoned, the owner may be gone */
	pthread_mutex_unlock(&p->lock);
	if (abandoned)
		destroy(p);
	return NULL;
}

int link_probe_start(const struct gf_link_config *config, enum link_probe_depth depth, void (*wake)(void *ctx),
                     void *ctx, struct link_probe **ret_probe)
{
	struct link_probe *p = calloc(1, sizeof *p);
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	p->wake = wake;
	p->ctx = ctx;
	p->port = config->port;
	p->depth = depth;
	p->host = strdup(config->host);
	p->ca_file = strdup(config->ca_file);
	p->cert_file = strdup(config->cert_file);
	p->key_file = strdup(config->key_file);
	if (!p->host || !p->ca_file || !p->cert_file || !p->key_file) {
		destroy(p);
		return -ENOMEM;
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, PROBE_STACK);
	r = pthread_create(&thread, &attr, probe_thread, p);
	pthread_attr_destroy(&attr);
	if (r != 0) {
		destroy(p);
		return -EAGAIN;
	}
	*ret_probe = p;
	return 0;
}

bool link_probe_done(struct link_probe *probe, char *ret_reason, size_t size)
{
	bool done;

	pthread_mutex_lock(&probe->lock);
	done = probe->done;
	pthread_mutex_unlock(&probe->lock);
	if (done)
		snprintf(ret_reason, size, "%s", probe->reason);
	return done;
}

void link_probe_free(struct link_probe *probe)
{
	bool done;

	if (!probe)
		return;
	pthread_mutex_lock(&probe->lock);
	done = probe->done;
	probe->abandoned = true;
	pthread_mutex_unlock(&probe->lock);
	if (done)
		destroy(probe);
}
