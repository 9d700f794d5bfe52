/*
 * An echo server that is in no compressing client's way: it sends each frame back as it came, without its mask. Data
 * that one side has deflated is as good when it comes from the other, so nothing is inflated or deflated here. One
 * thread, and it never sleeps. Usage: README.md.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../contenders/c-floor/frame.h"
#include "../../contenders/c-floor/request.h"

enum { MAX_CLIENTS = 65536, READ_BYTES = 256 * 1024, EVENTS = 256 };

static struct client {
	int is_open;
	uint8_t *unread;
	size_t length;
} clients[MAX_CLIENTS];

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void send_all(int fd, const void *bytes, size_t length)
{
	if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length && errno != EPIPE && errno != ECONNRESET)
		die("a client that does not read");
}

/* Returns how many bytes were used. */
static size_t upgrade(int fd, uint8_t *bytes, size_t have)
{
	static char head[READ_BYTES];
	const uint8_t *end = memmem(bytes, have, "\r\n\r\n", 4);
	if (end == NULL) return 0;
	const size_t used = (size_t)(end - bytes) + 4;
	memcpy(head, bytes, used);
	head[used] = '\0';
	char answer[MAX_ANSWER + 128] = "";
	if (answer_request(head, answer) != UPGRADED) die("a request that is no upgrade");
	/* In place of the empty line. */
	const char *takeover = strstr(head, "_no_context_takeover") == NULL
	                           ? ""
	                           : "; client_no_context_takeover; server_no_context_takeover";
	sprintf(answer + strlen(answer) - 2, "Sec-WebSocket-Extensions: permessage-deflate%s\r\n\r\n", takeover);
	send_all(fd, answer, strlen(answer));
	clients[fd].is_open = 1;
	return used;
}

static size_t mirror(int fd, uint8_t *bytes, size_t have)
{
	static uint8_t out[READ_BYTES];
	size_t used = 0, length = 0;
	struct frame frame = {0};
	while (parse_head(bytes + used, have - used, &frame) && have - used >= frame.head + frame.length) {
		length += write_head(out + length, frame.first, frame.length, 0);
		apply_mask(out + length, bytes + used + frame.head, frame.length, frame.mask);
		length += frame.length;
		used += frame.head + frame.length;
	}
	if (length > 0) send_all(fd, out, length);
	return used;
}

static void serve(int fd)
{
	static uint8_t bytes[READ_BYTES];
	struct client *client = &clients[fd];
	size_t have = client->length;
	if (have > 0) memcpy(bytes, client->unread, have);
	free(client->unread);
	const ssize_t got = recv(fd, bytes + have, sizeof bytes - have - 1, 0);
	if (got <= 0) {
		*client = (struct client){0};
		close(fd);
		return;
	}
	have += (size_t)got;
	const size_t used = client->is_open ? mirror(fd, bytes, have) : upgrade(fd, bytes, have);
	client->length = have - used;
	client->unread = client->length == 0 ? NULL : malloc(client->length);
	if (client->length > 0) memcpy(client->unread, bytes + used, client->length);
}

int main(void)
{
	const int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
	struct rlimit descriptors;
	getrlimit(RLIMIT_NOFILE, &descriptors);
	descriptors.rlim_cur = descriptors.rlim_max;
	setrlimit(RLIMIT_NOFILE, &descriptors);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0) die("listen");
	getsockname(listener, (struct sockaddr *)&address, &size);
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		const int count = epoll_wait(epoll, events, EVENTS, 0);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd != listener) {
				serve(events[i].data.fd);
				continue;
			}
			const int fd = accept(listener, NULL, NULL);
			if (fd < 0 || fd >= MAX_CLIENTS) die("accept");
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
			epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
		}
	}
}
