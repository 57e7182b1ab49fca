#include "gateway/api/actor.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/base/text.h"

enum { PASSWD_MAX = 16 * 1024, COMM_MAX = 64 };

/* A user's name, or "" when the uid has none. */
static void user_name(uid_t uid, char buf[static GF_NAME_MAX])
{
	struct passwd entry, *found = NULL;
	char *bytes = malloc(PASSWD_MAX);

	buf[0] = '\0';
	if (bytes != NULL && getpwuid_r(uid, &entry, bytes, PASSWD_MAX, &found) == 0 && found != NULL)
		(void)gf_strcpy(buf, GF_NAME_MAX, found->pw_name);
	free(bytes);
}

/* The first line of a file of the process; a process gives itself its name, so nothing in it may steer a terminal. */
static void read_line(const char *proc, pid_t pid, const char *name, char *buf, size_t size)
{
	char path[256];

	buf[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%d/%s", proc, (int)pid, name);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(buf, (int)size, file) == NULL)
		buf[0] = '\0';
	(void)fclose(file);
	buf[strcspn(buf, "\n")] = '\0';
	for (char *c = buf; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* Who logged in, where that is somebody else than who the process runs as: the kernel keeps it over su and sudo. */
static void login_name(const char *proc, pid_t pid, uid_t uid, char buf[static GF_NAME_MAX])
{
	char text[COMM_MAX], *end;

	buf[0] = '\0';
	read_line(proc, pid, "loginuid", text, sizeof(text));
	unsigned long login = strtoul(text, &end, 10);
	if (end != text && login < UINT32_MAX && login != uid)
		user_name((uid_t)login, buf);
}

void actor_of_process(const char *proc, pid_t pid, uid_t uid, struct store_actor *ret_actor)
{
	char name[GF_NAME_MAX], login[GF_NAME_MAX], comm[COMM_MAX];

	user_name(uid, name);
	login_name(proc, pid, uid, login);
	read_line(proc, pid, "comm", comm, sizeof(comm));
	/* The name gives way, never the number. */
	(void)snprintf(ret_actor->who, sizeof(ret_actor->who),
	               name[0] != '\0' ? "%.30s (uid %" PRIu32 ")" : "%suid %" PRIu32, name, (uint32_t)uid);
	(void)snprintf(ret_actor->from, sizeof(ret_actor->from), "unix socket, pid %d%s%.32s%s%.40s", (int)pid,
	               comm[0] != '\0' ? ", " : "", comm, login[0] != '\0' ? ", logged in as " : "", login);
}

void actor_of_socket(int fd, struct store_actor *ret_actor)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
		actor_of_process("/proc", peer.pid, peer.uid, ret_actor);
		return;
	}
	(void)gf_strcpy(ret_actor->who, sizeof(ret_actor->who), "unknown");
	(void)gf_strcpy(ret_actor->from, sizeof(ret_actor->from), "unix socket");
}
