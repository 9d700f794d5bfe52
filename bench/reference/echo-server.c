/*
 * The cheapest server that the reference clients and the generator can run against, so that what is measured is
 * them. It answers handshakes and joins, and sends every other frame back. One thread, epoll; no rooms, no /stats,
 * no checks beyond the framing: it is no contender. Usage: README.md.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "sha1.h"

enum { READ_BYTES = 256 * 1024, MAX_MESSAGE = 65536, MAX_REQUEST = 8192, EVENTS = 256 };

struct bytes {
	uint8_t *at;
	size_t length;
};

struct connection {
	int fd;
	int upgraded;
	struct bytes unread;
	struct bytes unsent;
};

static int epoll;
static uint8_t read_buffer[READ_BYTES + MAX_MESSAGE + MAX_HEAD];
/* Replies are shorter than what they answer, but for a join's two letters. */
static uint8_t replies[2 * sizeof read_buffer];

static void die(const char *what)
{
	fprintf(stderr, "echo-server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void keep(struct bytes *bytes, const uint8_t *from, size_t length)
{
	bytes->at = realloc(bytes->at, bytes->length + length);
	if (bytes->at == NULL) die("out of memory");
	memcpy(bytes->at + bytes->length, from, length);
	bytes->length += length;
}

static void watch(struct connection *connection, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = connection};
	if (epoll_ctl(epoll, operation, connection->fd, &event) != 0) die("epoll_ctl");
}

static void drop(struct connection *connection)
{
	close(connection->fd);
	free(connection->unread.at);
	free(connection->unsent.at);
	free(connection);
}

/* Returns 0 if the connection is broken. A client that doesn't read isn't read from. */
static int send_bytes(struct connection *connection, const uint8_t *from, size_t length)
{
	ssize_t written = send(connection->fd, from, length, MSG_NOSIGNAL);
	if (written == (ssize_t)length) return 1;
	if (written < 0 && errno != EAGAIN) return 0;
	if (written < 0) written = 0;
	keep(&connection->unsent, from + written, length - (size_t)written);
	watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
	return 1;
}

static int send_unsent(struct connection *connection)
{
	const struct bytes unsent = connection->unsent;
	connection->unsent = (struct bytes){0};
	watch(connection, EPOLL_CTL_MOD, EPOLLIN);
	const int alive = send_bytes(connection, unsent.at, unsent.length);
	free(unsent.at);
	return alive;
}

/* Returns the bytes of the request, 0 while it is incomplete, -1 when it is refused. */
static ssize_t upgrade(struct connection *connection, size_t have)
{
	const uint8_t *end = memmem(read_buffer, have, "\r\n\r\n", 4);
	if (end == NULL) return have > MAX_REQUEST ? -1 : 0;
	static const char name[] = "\r\nSec-WebSocket-Key:";
	const char *key = NULL;
	if (memcmp(read_buffer, "GET /ws ", 8) == 0)
		for (const uint8_t *at = read_buffer; at < end && key == NULL; at++)
			if (strncasecmp((const char *)at, name, sizeof name - 1) == 0) key = (const char *)at + sizeof name - 1;
	while (key != NULL && *key == ' ') key++;
	if (key == NULL || key + 24 > (const char *)end) {
		static const char refusal[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
		send(connection->fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
		return -1;
	}
	char salted[61];
	snprintf(salted, sizeof salted, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	uint8_t digest[20];
	sha1((const uint8_t *)salted, 60, digest);
	char accept[29];
	base64_of_digest(digest, accept);
	char answer[160];
	const int length = snprintf(answer, sizeof answer,
	                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	                            "Sec-WebSocket-Accept: %s\r\n\r\n",
	                            accept);
	connection->upgraded = 1;
	if (!send_bytes(connection, (const uint8_t *)answer, (size_t)length)) return -1;
	return end + 4 - read_buffer;
}

/* Writes the reply to a frame. Fragments go back as they came, which is an echo too. */
static size_t reply_to(uint8_t *out, const struct frame *frame, const uint8_t *payload)
{
	static const char join[] = "{\"type\":\"join\"", joined[] = "{\"type\":\"joined\"";
	enum { JOIN = sizeof join - 1, JOINED = sizeof joined - 1 };
	uint8_t first = frame->first;
	if ((first & 0x0f) == OP_PING) first = FIN | OP_PONG;
	const size_t head = write_head(out, first, frame->length, 0);
	apply_mask(out + head, payload, frame->length, frame->mask);
	if (frame->length < JOIN || memcmp(out + head, join, JOIN) != 0) return head + frame->length;

	const size_t joined_head = write_head(out, first, frame->length + JOINED - JOIN, 0);
	apply_mask(out + joined_head + JOINED - JOIN, payload, frame->length, frame->mask);
	memcpy(out + joined_head, joined, JOINED);
	return joined_head + frame->length + JOINED - JOIN;
}

/* Returns 0 when the connection is over. */
static int read_connection(struct connection *connection)
{
	size_t have = connection->unread.length;
	if (have > 0) {
		memcpy(read_buffer, connection->unread.at, have);
		free(connection->unread.at);
		connection->unread = (struct bytes){0};
	}
	const ssize_t got = recv(connection->fd, read_buffer + have, READ_BYTES, 0);
	if (got == 0 || (got < 0 && errno != EAGAIN)) return 0;
	if (got > 0) have += (size_t)got;

	const uint8_t *at = read_buffer;
	if (!connection->upgraded) {
		const ssize_t request = upgrade(connection, have);
		if (request < 0) return 0;
		at += request;
		have -= (size_t)request;
	}
	uint8_t *out = replies;
	int over = 0;
	struct frame frame;
	while (connection->upgraded && !over && parse_head(at, have, &frame)) {
		if (!frame.masked || frame.length > MAX_MESSAGE) return 0;
		if (have < frame.head + frame.length) break;
		out += reply_to(out, &frame, at + frame.head);
		over = (frame.first & 0x0f) == OP_CLOSE;
		at += frame.head + frame.length;
		have -= frame.head + frame.length;
	}
	if (out > replies && !send_bytes(connection, replies, (size_t)(out - replies))) return 0;
	if (have > 0) keep(&connection->unread, at, have);
	return !over;
}

static int listen_on(const char *host, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const int one = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1) die("HOST, expected an IPv4 address");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
	if (listen(fd, 4096) != 0) die("listen");
	socklen_t size = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) die("getsockname");
	fprintf(stderr, "listening on %s:%d\n", host, ntohs(address.sin_port));
	return fd;
}

static void accept_all(int listener)
{
	const int one = 1;
	for (;;) {
		const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)) return;
		if (fd < 0) die("accept (ulimit -n says how many descriptors there are)");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct connection *connection = calloc(1, sizeof *connection);
		if (connection == NULL) die("out of memory");
		connection->fd = fd;
		watch(connection, EPOLL_CTL_ADD, EPOLLIN);
	}
}

int main(void)
{
	const char *host = getenv("HOST"), *port = getenv("PORT");
	struct rlimit descriptors;
	getrlimit(RLIMIT_NOFILE, &descriptors);
	descriptors.rlim_cur = descriptors.rlim_max;
	setrlimit(RLIMIT_NOFILE, &descriptors);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	const int listener = listen_on(host != NULL ? host : "127.0.0.1", port != NULL ? atoi(port) : 0);
	/* The listener is the event without a connection. */
	struct epoll_event event = {.events = EPOLLIN};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) die("epoll_ctl");
	struct epoll_event events[EVENTS];
	/* Asleep it would have to be woken up by whoever sends to it, who pays for that. */
	const int patience_ms = getenv("SPIN") == NULL ? -1 : 0;
	for (;;) {
		const int count = epoll_wait(epoll, events, EVENTS, patience_ms);
		if (count < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;
			if (connection == NULL) {
				accept_all(listener);
				continue;
			}
			const int alive = (events[i].events & EPOLLOUT) != 0 ? send_unsent(connection) : read_connection(connection);
			if (!alive) drop(connection);
		}
	}
}
