/*
 * The floor: what is left of a chat server when everything is taken away that the contract does not ask for. One
 * thread, epoll, no library. All that a turn of the loop has for a client leaves in one system call. README.md says
 * what it is for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "request.h"
#include "utf8.h"

enum {
	READ_BYTES = 256 * 1024,
	MAX_MESSAGE = 65536,
	MAX_REQUEST = 8192,
	MAX_SERVER_HEAD = 10,
	/* A client for which more waits, beyond what the kernel holds, is disconnected. */
	MAX_UNSENT = 1024 * 1024,
	/* How long a closed client is still read from, so that no reset overtakes the last words. */
	LINGER_MS = 1000,
	POLL_MS = 100,
	EVENTS = 256,
	BUCKETS = 1 << 14,
};

enum { GOING_AWAY = 1001, PROTOCOL_ERROR = 1002, NOT_TEXT = 1003, NOT_UTF8 = 1007, TOO_LONG = 1009 };

struct bytes {
	uint8_t *at;
	size_t length, capacity;
};

struct member {
	struct connection *connection;
	size_t which; /* of the connection's memberships */
};

struct room {
	struct room *next;
	struct member *members;
	size_t count, capacity;
	size_t name_length;
	char name[MAX_ROOM];
};

struct membership {
	struct room *room;
	size_t place; /* among the room's members */
};

struct connection {
	struct connection *previous, *next;
	int fd;
	enum { HANDSHAKE, OPEN, CLOSING, GONE } state;
	int is_dirty;   /* has something to be sent at the end of the turn */
	int is_blocked; /* the kernel takes no more: it is not read from until it does */
	int64_t deadline_ms; /* of one that is closing */
	struct bytes unread;
	/* Of a message in fragments; begins with room for a head. */
	struct bytes message;
	/* Whole frames, of whose first one `skip` bytes have left. */
	struct bytes unsent;
	size_t skip, messages;
	struct membership *memberships;
	size_t count, capacity;
};

static struct {
	uint64_t connections, received, sent, dropped;
} counters;

static int epoll, listener;
static int is_accepting, is_stopping;
static size_t closing;
static struct connection everyone = {.previous = &everyone, .next = &everyone};
static struct connection **dirty, *gone;
static size_t dirty_count, dirty_capacity;
static struct room *rooms[BUCKETS];
static uint8_t read_buffer[READ_BYTES + MAX_MESSAGE + MAX_HEAD + 1];

static void die(const char *what)
{
	fprintf(stderr, "c-floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Room for `wanted` elements; twice as many as before where there is none. */
static void *grow(void *at, size_t *capacity, size_t wanted, size_t size)
{
	if (wanted <= *capacity) return at;
	*capacity = wanted > 2 * *capacity ? wanted : 2 * *capacity;
	at = realloc(at, *capacity * size);
	if (at == NULL) die("out of memory");
	return at;
}

static void append(struct bytes *bytes, const void *from, size_t length)
{
	bytes->at = grow(bytes->at, &bytes->capacity, bytes->length + length, 1);
	memcpy(bytes->at + bytes->length, from, length);
	bytes->length += length;
}

static void clear(struct bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct bytes){0};
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void watch(int fd, void *who, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = who};
	if (epoll_ctl(epoll, operation, fd, &event) != 0) die("epoll_ctl");
}

/* Rooms */

static struct room **find_room(const char *name, size_t length)
{
	uint32_t hash = 2166136261; /* FNV-1a */
	for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)name[i]) * 16777619;
	struct room **at = &rooms[hash % BUCKETS];
	while (*at != NULL && ((*at)->name_length != length || memcmp((*at)->name, name, length) != 0)) at = &(*at)->next;
	return at;
}

static void join(struct connection *connection, const char *name, size_t length)
{
	struct room **at = find_room(name, length);
	if (*at == NULL) {
		*at = calloc(1, sizeof **at);
		if (*at == NULL) die("out of memory");
		(*at)->name_length = length;
		memcpy((*at)->name, name, length);
	}
	struct room *room = *at;
	for (size_t i = 0; i < connection->count; i++)
		if (connection->memberships[i].room == room) return;
	connection->memberships = grow(connection->memberships, &connection->capacity, connection->count + 1,
	                               sizeof *connection->memberships);
	room->members = grow(room->members, &room->capacity, room->count + 1, sizeof *room->members);
	room->members[room->count] = (struct member){connection, connection->count};
	connection->memberships[connection->count++] = (struct membership){room, room->count++};
}

static void leave_all(struct connection *connection)
{
	for (size_t i = 0; i < connection->count; i++) {
		const struct membership left = connection->memberships[i];
		struct room *room = left.room;
		const struct member last = room->members[--room->count];
		room->members[left.place] = last;
		last.connection->memberships[last.which].place = left.place;
		if (room->count > 0) continue;
		*find_room(room->name, room->name_length) = room->next;
		free(room->members);
		free(room);
	}
	free(connection->memberships);
	connection->memberships = NULL;
	connection->count = connection->capacity = 0;
}

/* The ends of a connection */

/* Closed here, freed at the end of the turn: somebody may still be about to look at it. */
static void end(struct connection *connection)
{
	if (connection->state == GONE) return;
	if (connection->state == OPEN) counters.connections--;
	if (connection->state == CLOSING) closing--;
	counters.dropped += connection->messages;
	connection->state = GONE;
	leave_all(connection);
	close(connection->fd);
	connection->previous->next = connection->next;
	connection->next->previous = connection->previous;
	connection->next = gone;
	gone = connection;
	if (is_accepting || is_stopping) return;
	is_accepting = 1;
	watch(listener, NULL, EPOLL_CTL_ADD, EPOLLIN);
}

static void free_gone(void)
{
	while (gone != NULL) {
		struct connection *next = gone->next;
		clear(&gone->unread);
		clear(&gone->message);
		clear(&gone->unsent);
		free(gone);
		gone = next;
	}
}

/* Nothing more is sent than what waits, and what comes is thrown away until the client ends, too. */
static void begin_closing(struct connection *connection)
{
	if (connection->state == OPEN) counters.connections--;
	connection->state = CLOSING;
	closing++;
	connection->deadline_ms = now_ms() + LINGER_MS;
	leave_all(connection);
	if (connection->unsent.length == 0) shutdown(connection->fd, SHUT_WR);
}

static void end_late_ones(void)
{
	const int64_t now = now_ms();
	for (struct connection *one = everyone.next, *next; one != &everyone; one = next) {
		next = one->next;
		if (one->state == CLOSING && one->deadline_ms < now) end(one);
	}
}

/* Sending */

/* Adds a whole frame to what leaves at the end of the turn. */
static void queue(struct connection *connection, const uint8_t *frame, size_t length)
{
	append(&connection->unsent, frame, length);
	if ((frame[0] & 0x0f) == OP_TEXT) connection->messages++;
	if (connection->is_blocked) {
		if (connection->unsent.length > MAX_UNSENT) end(connection);
		return;
	}
	if (connection->is_dirty) return;
	connection->is_dirty = 1;
	dirty = grow(dirty, &dirty_capacity, dirty_count + 1, sizeof *dirty);
	dirty[dirty_count++] = connection;
}

static void queue_payload(struct connection *connection, int opcode, const void *payload, size_t length)
{
	uint8_t frame[MAX_SERVER_HEAD + MAX_ANSWER];
	const size_t head = write_head(frame, (uint8_t)(FIN | opcode), length, 0);
	memcpy(frame + head, payload, length);
	queue(connection, frame, head + length);
}

static void queue_close(struct connection *connection, int code)
{
	const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
	queue_payload(connection, OP_CLOSE, payload, code == 0 ? 0 : 2);
	if (connection->state == OPEN) begin_closing(connection);
}

/* Counts the frames that have left whole. */
static void settle(struct connection *connection, size_t written)
{
	struct bytes *unsent = &connection->unsent;
	const size_t left = connection->skip + written;
	if (left == unsent->length) {
		counters.sent += connection->messages;
		connection->messages = connection->skip = 0;
		clear(unsent);
		return;
	}
	struct frame frame;
	size_t at = 0;
	while (parse_head(unsent->at + at, left - at, &frame) && at + frame.head + frame.length <= left) {
		if ((frame.first & 0x0f) == OP_TEXT) {
			counters.sent++;
			connection->messages--;
		}
		at += frame.head + frame.length;
	}
	unsent->length -= at;
	memmove(unsent->at, unsent->at + at, unsent->length);
	connection->skip = left - at;
}

static void flush(struct connection *connection)
{
	connection->is_dirty = 0;
	if (connection->state == GONE || connection->unsent.length == 0) return;
	const ssize_t written = send(connection->fd, connection->unsent.at + connection->skip,
	                             connection->unsent.length - connection->skip, MSG_NOSIGNAL);
	if (written < 0 && errno != EAGAIN) {
		end(connection);
		return;
	}
	settle(connection, written > 0 ? (size_t)written : 0);
	const int is_blocked = connection->unsent.length > 0;
	if (connection->unsent.length > MAX_UNSENT) {
		end(connection);
		return;
	}
	if (is_blocked != connection->is_blocked)
		watch(connection->fd, connection, EPOLL_CTL_MOD, is_blocked ? EPOLLOUT : EPOLLIN);
	connection->is_blocked = is_blocked;
	if (!is_blocked && connection->state == CLOSING) shutdown(connection->fd, SHUT_WR);
}

static void end_turn(void)
{
	for (size_t i = 0; i < dirty_count; i++) flush(dirty[i]);
	dirty_count = 0;
	if (closing > 0) end_late_ones();
	free_gone();
}

/* Messages */

static void say(const struct request *request, const uint8_t *frame, size_t length)
{
	const struct room *room = *find_room(request->room, request->room_length);
	/* Backwards, as a member that is too slow is ended, and the last one takes its place. */
	for (size_t i = room == NULL ? 0 : room->count; i-- > 0;) queue(room->members[i].connection, frame, length);
}

/* There is room for a head in front of the payload. */
static void take_message(struct connection *connection, uint8_t *payload, size_t length)
{
	counters.received++;
	if (!is_utf8(payload, length)) {
		queue_close(connection, NOT_UTF8);
		return;
	}
	const struct request request = parse_message((const char *)payload, length);
	const size_t head = length < 126 ? 2 : length < 65536 ? 4 : MAX_SERVER_HEAD;
	uint8_t *frame = payload - head;
	char answer[MAX_ANSWER];
	switch (request.kind) {
	case ECHO:
		write_head(frame, FIN | OP_TEXT, length, 0);
		queue(connection, frame, head + length);
		return;
	case SAY:
		write_head(frame, FIN | OP_TEXT, length, 0);
		say(&request, frame, head + length);
		return;
	case JOIN:
		join(connection, request.room, request.room_length);
		snprintf(answer, sizeof answer, "{\"type\":\"joined\",\"room\":\"%.*s\"}", (int)request.room_length, request.room);
		break;
	case CRASH:
		/* The fault of the contract. */
		*(volatile int *)(uintptr_t)length = 0;
		return;
	case INVALID:
		snprintf(answer, sizeof answer, "{\"type\":\"error\",\"reason\":\"%s\"}", request.reason);
		break;
	}
	queue_payload(connection, OP_TEXT, answer, strlen(answer));
}

static int is_close_code(int code)
{
	return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

/* The code of the answer to a close frame; 0 for an answer without one. */
static int answer_close(const uint8_t *payload, size_t length)
{
	if (length == 0) return 0;
	const int code = length == 1 ? 0 : payload[0] << 8 | payload[1];
	if (!is_close_code(code)) return PROTOCOL_ERROR;
	return is_utf8(payload + 2, length - 2) ? code : NOT_UTF8;
}

/* The close code for a head that breaks a rule, or 0. */
static int blame(const struct connection *connection, const struct frame *frame)
{
	const int opcode = frame->first & 0x0f, is_whole = (frame->first & FIN) != 0;
	const int is_within = connection->message.length > 0;
	if ((frame->first & 0x70) != 0 || !frame->masked) return PROTOCOL_ERROR;
	switch (opcode) {
	case OP_CLOSE:
	case OP_PING:
	case OP_PONG:
		return is_whole && frame->length < 126 ? 0 : PROTOCOL_ERROR;
	case OP_CONTINUATION:
		if (!is_within) return PROTOCOL_ERROR;
		return connection->message.length - MAX_SERVER_HEAD + frame->length > MAX_MESSAGE ? TOO_LONG : 0;
	case OP_TEXT:
		if (is_within) return PROTOCOL_ERROR;
		return frame->length > MAX_MESSAGE ? TOO_LONG : 0;
	case OP_BINARY:
		return is_within ? PROTOCOL_ERROR : NOT_TEXT;
	default:
		return PROTOCOL_ERROR;
	}
}

static void take_frame(struct connection *connection, const struct frame *frame, uint8_t *payload)
{
	static const uint8_t room_for_head[MAX_SERVER_HEAD];
	const int opcode = frame->first & 0x0f, is_whole = (frame->first & FIN) != 0;
	struct bytes *message = &connection->message;
	apply_mask(payload, payload, frame->length, frame->mask);
	switch (opcode) {
	case OP_CLOSE:
		queue_close(connection, answer_close(payload, frame->length));
		return;
	case OP_PING:
		queue_payload(connection, OP_PONG, payload, frame->length);
		return;
	case OP_PONG:
		return;
	case OP_TEXT:
		if (is_whole) {
			take_message(connection, payload, frame->length);
			return;
		}
		append(message, room_for_head, sizeof room_for_head);
	}
	append(message, payload, frame->length);
	if (!is_whole) return;
	struct bytes whole = *message;
	*message = (struct bytes){0};
	take_message(connection, whole.at + MAX_SERVER_HEAD, whole.length - MAX_SERVER_HEAD);
	clear(&whole);
}

/* Returns how many bytes were whole frames. */
static size_t take_frames(struct connection *connection, uint8_t *from, size_t length)
{
	size_t at = 0;
	struct frame frame;
	while (connection->state == OPEN && parse_head(from + at, length - at, &frame)) {
		const int code = blame(connection, &frame);
		if (code != 0) {
			queue_close(connection, code);
			break;
		}
		if (length - at < frame.head + frame.length) break;
		take_frame(connection, &frame, from + at + frame.head);
		at += frame.head + frame.length;
	}
	return at;
}

/* HTTP. Returns the bytes of the request, 0 while it is incomplete or when it did not become a WebSocket. */
static size_t take_request(struct connection *connection, char *from, size_t length)
{
	char answer[MAX_ANSWER], *rest = memmem(from, length, "\r\n\r\n", 4);
	if (rest == NULL) {
		if (length > MAX_REQUEST) end(connection);
		return 0;
	}
	rest += 4;
	const char first = *rest;
	*rest = '\0';
	const enum answered answered = answer_request(from, answer);
	*rest = first;
	if (answered == STATS) {
		char body[128];
		snprintf(body, sizeof body, "{\"connections\":%lu,\"received\":%lu,\"sent\":%lu,\"dropped\":%lu}",
		         counters.connections, counters.received, counters.sent, counters.dropped);
		snprintf(answer, sizeof answer,
		         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		         strlen(body), body);
	}
	/* The first bytes on a connection fit into what the kernel holds for it. */
	if (send(connection->fd, answer, strlen(answer), MSG_NOSIGNAL) != (ssize_t)strlen(answer)) {
		end(connection);
		return 0;
	}
	if (answered != UPGRADED) {
		begin_closing(connection);
		return 0;
	}
	connection->state = OPEN;
	counters.connections++;
	return (size_t)(rest - from);
}

static void read_connection(struct connection *connection)
{
	size_t have = connection->unread.length;
	if (have > 0) {
		memcpy(read_buffer, connection->unread.at, have);
		clear(&connection->unread);
	}
	const ssize_t got = recv(connection->fd, read_buffer + have, READ_BYTES, 0);
	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		end(connection);
		return;
	}
	if (got > 0) have += (size_t)got;
	size_t at = 0;
	if (connection->state == HANDSHAKE) at = take_request(connection, (char *)read_buffer, have);
	if (connection->state == OPEN) at += take_frames(connection, read_buffer + at, have - at);
	if (connection->state < CLOSING && at < have) append(&connection->unread, read_buffer + at, have - at);
}

/* The process */

static void listen_on(const char *host, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const int one = 1;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener < 0) die("socket");
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
		fprintf(stderr, "c-floor: HOST is %s, expected an IPv4 address\n", host);
		exit(2);
	}
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
	if (listen(listener, 4096) != 0) die("listen");
	socklen_t size = sizeof address;
	if (getsockname(listener, (struct sockaddr *)&address, &size) != 0) die("getsockname");
	fprintf(stderr, "listening on %s:%d\n", host, ntohs(address.sin_port));
}

static void accept_all(void)
{
	const int one = 1;
	for (;;) {
		const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
			/* Until somebody leaves: asked again and again it would be all that the server does. */
			is_accepting = 0;
			watch(listener, NULL, EPOLL_CTL_DEL, 0);
		}
		if (fd < 0) return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct connection *connection = calloc(1, sizeof *connection);
		if (connection == NULL) die("out of memory");
		connection->fd = fd;
		connection->previous = &everyone;
		connection->next = everyone.next;
		everyone.next->previous = connection;
		everyone.next = connection;
		watch(fd, connection, EPOLL_CTL_ADD, EPOLLIN);
	}
}

static void stop(void)
{
	is_stopping = 1;
	close(listener);
	for (struct connection *one = everyone.next, *next; one != &everyone; one = next) {
		next = one->next;
		if (one->state == OPEN) queue_close(one, GOING_AWAY);
		else if (one->state == HANDSHAKE) end(one);
	}
}

int main(void)
{
	const char *host = getenv("HOST"), *port = getenv("PORT");
	struct rlimit descriptors;
	getrlimit(RLIMIT_NOFILE, &descriptors);
	descriptors.rlim_cur = descriptors.rlim_max;
	setrlimit(RLIMIT_NOFILE, &descriptors);
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	const int terminated = signalfd(-1, &signals, SFD_CLOEXEC);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (terminated < 0 || epoll < 0) die("epoll_create1, signalfd");
	listen_on(host != NULL ? host : "127.0.0.1", port != NULL ? atoi(port) : 0);
	/* The listener is the event without a connection, the signal that of everyone. */
	is_accepting = 1;
	watch(listener, NULL, EPOLL_CTL_ADD, EPOLLIN);
	watch(terminated, &everyone, EPOLL_CTL_ADD, EPOLLIN);
	struct epoll_event events[EVENTS];
	/* Asleep it has to be woken up by whoever sends to it, who pays for that: bench/generator.ts spares its clients. */
	const int is_spinning = getenv("SPIN") != NULL;
	while (!is_stopping || everyone.next != &everyone) {
		const int count = epoll_wait(epoll, events, EVENTS, is_spinning ? 0 : closing > 0 ? POLL_MS : -1);
		if (count < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;
			if (connection == NULL) {
				if (!is_stopping) accept_all();
			} else if (connection == &everyone) {
				if (!is_stopping) stop();
			} else if (connection->state == GONE) {
				continue;
			} else if (connection->is_blocked) {
				flush(connection);
			} else {
				read_connection(connection);
			}
		}
		end_turn();
	}
	return 0;
}
