#include "tests/slave/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void init(struct wire *w, bool rtu)
{
	*w = (struct wire){.rtu = rtu, .listen_fd = -1, .other_end_fd = -1, .fd = -1};
}

int wire_open_tcp(struct wire *w, uint16_t *port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	const int yes = 1;

	init(w, false);
	w->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->listen_fd < 0 || setsockopt(w->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    bind(w->listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(w->listen_fd, 8) != 0 ||
	    getsockname(w->listen_fd, (struct sockaddr *)&address, &len) != 0)
		return -errno;
	*port = ntohs(address.sin_port);
	return 0;
}

int wire_open_rtu(struct wire *w, const char *link)
{
	char name[64];
	struct termios raw = {0};

	init(w, true);
	cfmakeraw(&raw);
	if (openpty(&w->fd, &w->other_end_fd, NULL, &raw, NULL) != 0 || ttyname_r(w->other_end_fd, name, sizeof(name)) != 0)
		return -errno;
	unlink(link);
	if (symlink(name, link) != 0)
		return -errno;
	w->link = link;
	return 0;
}

void wire_close(struct wire *w)
{
	const int fds[] = {w->listen_fd, w->other_end_fd, w->fd};
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	if (w->link != NULL)
		unlink(w->link);
}

void wire_drop(struct wire *w)
{
	if (w->rtu || w->fd < 0)
		return;
	close(w->fd);
	w->fd = -1;
	w->in_len = w->answers_count = 0;
}

bool wire_accept(struct wire *w, bool refuse)
{
	const int yes = 1;
	const int fd = accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return false;
	if (refuse) {
		close(fd);
		return true;
	}
	wire_drop(w);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	w->fd = fd;
	return false;
}

/* --- in ---------------------------------------------------------------------------------------------------------- */

void wire_fill(struct wire *w)
{
	const ssize_t n = read(w->fd, w->in + w->in_len, sizeof(w->in) - w->in_len);
	if (n > 0)
		w->in_len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		wire_drop(w);
}

bool wire_next(struct wire *w, struct frame *ret_request)
{
	const int taken = frame_take(w->rtu, w->in, w->in_len, ret_request);
	if (taken < 0)
		w->in_len = 0;
	if (taken <= 0)
		return false;
	w->in_len -= (size_t)taken;
	memmove(w->in, w->in + taken, w->in_len);
	return true;
}

/* --- out --------------------------------------------------------------------------------------------------------- */

void wire_answer(struct wire *w, const uint8_t *data, size_t len, int64_t due_ms)
{
	if (w->answers_count == WIRE_ANSWERS_MAX)
		return;
	struct wire_answer *answer = &w->answers[(w->first + w->answers_count++) % WIRE_ANSWERS_MAX];
	answer->due_ms = due_ms;
	answer->len = len;
	memcpy(answer->data, data, len);
}

int64_t wire_flush(struct wire *w, int64_t now_ms)
{
	for (; w->answers_count > 0; w->answers_count--, w->first = (w->first + 1) % WIRE_ANSWERS_MAX) {
		const struct wire_answer *answer = &w->answers[w->first];
		if (answer->due_ms > now_ms)
			return answer->due_ms;
		if (w->fd >= 0 && write(w->fd, answer->data, answer->len) != (ssize_t)answer->len)
			wire_drop(w);
		if (w->answers_count == 0)
			break;
	}
	return INT64_MAX;
}
