/*
 * The floor that the generator is measured against: the least a client of the ChaosChat contract can do.
 * One thread, epoll, no ledger. Usage and output: README.md.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../contenders/c-floor/frame.h"
#include "histogram.h"
#include "transport.h"

enum {
	MAX_MESSAGE = 65536, /* the contract's limit */
	MIN_MESSAGE = 80,    /* room for the longest numbers */
	READ_BYTES = 256 * 1024,
	EVENTS = 256,
	DRAIN_MS = 2000, /* how long the last replies may take */
};

/* One source address has at most 28,232 ports by default; stay well below. */
#ifndef CONNECTIONS_PER_SOURCE
#define CONNECTIONS_PER_SOURCE 20000
#endif

/* With -DDEFLATE -lz every message is compressed. */
#ifdef DEFLATE
#include "deflate.h"
#else
#define EXTENSION ""
#endif

struct bytes {
	uint8_t *at;
	size_t length;
};

struct connection {
	int fd;
	transport transport;
	uint32_t number;
	uint64_t seq;
	int64_t sent_ns;
	struct bytes unread;   /* the beginning of a frame */
	struct bytes fragment; /* the beginning of a message */
	struct bytes unsent;
};

static const char *host;
static int port;
static size_t connection_count, message_bytes;
static double seconds, rate; /* rate 0: closed loop */
static int64_t tick_ns;      /* 0: the open loop spins */

static struct connection *connections;
static int epoll;
static int64_t start_ns, end_ns;
static uint64_t sent, answered;
static uint64_t random_state;
static struct histogram latency, send_lag;
static uint8_t read_buffer[READ_BYTES + MAX_MESSAGE + MAX_HEAD];

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "epoll-client: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\n");
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* xorshift64: RFC 6455 5.3 asks for unpredictable masks, which matters to proxies; here they must only vary. */
static uint32_t next_mask(void)
{
	uint32_t mask;
	do {
		random_state ^= random_state << 13;
		random_state ^= random_state >> 7;
		random_state ^= random_state << 17;
		mask = (uint32_t)(random_state >> 32);
	} while (mask == 0);
	return mask;
}

static void append(struct bytes *bytes, const uint8_t *from, size_t length)
{
	bytes->at = realloc(bytes->at, bytes->length + length);
	if (bytes->at == NULL) die("out of memory");
	memcpy(bytes->at + bytes->length, from, length);
	bytes->length += length;
}

static void clear(struct bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct bytes){0};
}

static void watch(struct connection *connection, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = connection};
	if (epoll_ctl(epoll, operation, connection->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

/* Writes, or keeps what the kernel doesn't take. */
static void send_bytes(struct connection *connection, const uint8_t *from, size_t length)
{
	ssize_t written = 0;
	if (connection->unsent.length == 0) {
		written = transport_send(connection->transport, connection->fd, from, length);
		if (written == (ssize_t)length) return;
		if (written < 0 && errno != EAGAIN) die("send on connection %u: %s", connection->number, strerror(errno));
		if (written < 0) written = 0;
		watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	}
	append(&connection->unsent, from + written, length - (size_t)written);
}

static void send_unsent(struct connection *connection)
{
	struct bytes unsent = connection->unsent;
	connection->unsent = (struct bytes){0};
	watch(connection, EPOLL_CTL_MOD, EPOLLIN);
	if (unsent.length > 0) send_bytes(connection, unsent.at, unsent.length);
	free(unsent.at);
}

static void send_frame(struct connection *connection, uint8_t opcode, const uint8_t *payload, size_t length)
{
#ifdef DEFLATE
	static uint8_t frame[MAX_HEAD + MAX_DEFLATED];
	if (opcode == OP_TEXT) {
		payload = deflate_message(payload, &length);
		opcode |= RSV1;
	}
#else
	static uint8_t frame[MAX_HEAD + MAX_MESSAGE];
#endif
	const uint32_t mask = next_mask();
	const size_t head = write_head(frame, FIN | opcode, length, mask);
	apply_mask(frame + head, payload, length, mask);
	send_bytes(connection, frame, head + length);
}

static uint8_t *put_text(uint8_t *out, const char *text)
{
	const size_t length = strlen(text);
	memcpy(out, text, length);
	return out + length;
}

static uint8_t *put_number(uint8_t *out, uint64_t number)
{
	uint8_t digits[20];
	int count = 0;
	do digits[count++] = (uint8_t)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0) *out++ = digits[--count];
	return out;
}

/* Sends the connection's next echo, meant for `intended_ns`. */
static void send_echo(struct connection *connection, int64_t intended_ns)
{
	static uint8_t message[MAX_MESSAGE];
	uint8_t *out = put_number(put_text(message, "{\"type\":\"echo\",\"from\":\"c"), connection->number);
	out = put_number(put_text(out, "\",\"seq\":"), ++connection->seq);
	out = put_number(put_text(out, ",\"at\":"), (uint64_t)(intended_ns - start_ns) / 1000);
	out = put_text(out, ",\"text\":\"");
	uint8_t *end = message + message_bytes - 2;
#ifdef DEFLATE
	/* As varied as the generator's: a stamp of 18 hex digits, and padding that repeats after 26 bytes. */
	char stamp[19];
	snprintf(stamp, sizeof stamp, "0100000000%08x", (uint32_t)(random_state >> 16));
	out = put_text(out, stamp);
	for (size_t i = 0; out + i < end; i++) out[i] = (uint8_t)(97 + i * 7 % 26);
#else
	memset(out, 'x', (size_t)(end - out));
#endif
	memcpy(end, "\"}", 2);
	connection->sent_ns = intended_ns;
	sent++;
	send_frame(connection, OP_TEXT, message, message_bytes);
}

/* Open loop: the intended send time is read from the message itself. */
static int64_t intended_ns(const uint8_t *message, size_t length)
{
	const uint8_t *at = memmem(message, length, ",\"at\":", 6);
	if (at == NULL) die("a reply without \"at\": %.*s", (int)length, message);
	uint64_t us = 0;
	for (at += 6; *at >= '0' && *at <= '9'; at++) us = us * 10 + (uint64_t)(*at - '0');
	return start_ns + (int64_t)us * 1000;
}

static void take_reply(struct connection *connection, const uint8_t *message, size_t length)
{
	if (length != message_bytes)
		die("a reply of %zu bytes, expected %zu: %.*s", length, message_bytes, (int)length, message);
	const int64_t now = now_ns();
	answered++;
	if (rate > 0) {
		record(&latency, now - intended_ns(message, length));
		return;
	}
	record(&latency, now - connection->sent_ns);
	if (now < end_ns) send_echo(connection, now);
}

/* A text may hold several messages (`"framing": "newline"`). */
static void take_text(struct connection *connection, const uint8_t *text, size_t length)
{
	while (length > message_bytes) {
		const uint8_t *newline = memchr(text, '\n', length);
		if (newline == NULL) break;
		take_reply(connection, text, (size_t)(newline - text));
		length -= (size_t)(newline - text) + 1;
		text = newline + 1;
	}
	take_reply(connection, text, length);
}

static void take_frame(struct connection *connection, const struct frame *frame, const uint8_t *payload)
{
	const uint8_t opcode = frame->first & 0x0f;
	if (frame->masked) die("a masked frame on connection %u", connection->number);
#ifdef DEFLATE
	if (frame->first == (FIN | RSV1 | OP_TEXT)) {
		size_t length = frame->length;
		const uint8_t *text = inflate_message(payload, &length);
		if (text == NULL) die("corrupt data on connection %u", connection->number);
		take_text(connection, text, length);
		return;
	}
#endif
	if ((frame->first & 0x70) != 0) die("reserved bits on connection %u", connection->number);
	switch (opcode) {
	case OP_PING:
		send_frame(connection, OP_PONG, payload, frame->length);
		break;
	case OP_PONG:
		break;
	case OP_TEXT:
	case OP_CONTINUATION:
		if ((opcode == OP_CONTINUATION) != (connection->fragment.length > 0))
			die("fragments out of order on connection %u", connection->number);
		if (opcode == OP_TEXT && (frame->first & FIN) != 0) {
			take_text(connection, payload, frame->length);
			break;
		}
		append(&connection->fragment, payload, frame->length);
		if ((frame->first & FIN) == 0) break;
		struct bytes message = connection->fragment;
		connection->fragment = (struct bytes){0};
		take_text(connection, message.at, message.length);
		free(message.at);
		break;
	case OP_CLOSE:
		die("the server closed connection %u with %d", connection->number,
		    frame->length >= 2 ? payload[0] << 8 | payload[1] : 1005);
	default:
		die("opcode %d on connection %u", opcode, connection->number);
	}
}

static void read_frames(struct connection *connection)
{
	size_t have = connection->unread.length;
	if (have > 0) {
		memcpy(read_buffer, connection->unread.at, have);
		clear(&connection->unread);
	}
	const ssize_t got = transport_receive(connection->transport, connection->fd, read_buffer + have, READ_BYTES);
	if (got == 0) die("the server ended connection %u", connection->number);
	if (got < 0 && errno != EAGAIN) die("recv on connection %u: %s", connection->number, strerror(errno));
	if (got > 0) have += (size_t)got;

	const uint8_t *at = read_buffer;
	struct frame frame;
	while (parse_head(at, have, &frame)) {
		if (frame.length > MAX_MESSAGE * 2) die("a frame of %zu bytes", frame.length);
		if (have < frame.head + frame.length) break;
		take_frame(connection, &frame, at + frame.head);
		at += frame.head + frame.length;
		have -= frame.head + frame.length;
	}
	if (have > 0) append(&connection->unread, at, have);
}

static void open_connection(struct connection *connection)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die("host is %s, expected an IPv4 address", host);
	const int one = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) die("socket %u: %s (raise the descriptor limit: ulimit -n)", connection->number, strerror(errno));
	const uint32_t source = connection->number / CONNECTIONS_PER_SOURCE;
	if (source > 0) {
		struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + source)};
		/* Without it, bind takes a port for this address alone, whatever the target. */
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
		if (bind(fd, (struct sockaddr *)&local, sizeof local) != 0) die("bind to source %u: %s", source, strerror(errno));
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		die("connection %u to %s:%d: %s", connection->number, host, port, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	struct timeval timeout = {.tv_sec = 10};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
	/* End by reset: the side that closes first keeps its port in TIME_WAIT for a minute, and runs follow closely. */
	struct linger reset = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);

	const transport transport = transport_open(fd);
	if (!transport) die("TLS handshake of connection %u failed", connection->number);
	/* Key and answer are the example of RFC 6455, 1.3. */
	char text[2048];
	int length = snprintf(text, sizeof text,
	                      "GET /ws HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" EXTENSION "\r\n",
	                      host, port);
	if (transport_send(transport, fd, text, (size_t)length) != length) die("handshake: %s", strerror(errno));
	for (length = 0;;) {
		const ssize_t got = transport_receive(transport, fd, text + length, sizeof text - 1 - (size_t)length);
		if (got <= 0) die("handshake of connection %u: no answer within 10 s, or ended", connection->number);
		length += (int)got;
		text[length] = '\0';
		if (strstr(text, "\r\n\r\n") != NULL) break;
	}
	if (strncmp(text, "HTTP/1.1 101", 12) != 0 || strstr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == NULL)
		die("handshake of connection %u refused: %s", connection->number, text);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die("fcntl: %s", strerror(errno));
	connection->fd = fd;
	connection->transport = transport;
	watch(connection, EPOLL_CTL_ADD, EPOLLIN);
}

/* Open loop: sends everything due by now, message k on connection k mod n. */
static void send_due(void)
{
	for (;;) {
		const int64_t due = start_ns + (int64_t)((double)sent * 1e9 / rate);
		const int64_t now = now_ns();
		if (due > now || due >= end_ns) return;
		record(&send_lag, now - due);
		send_echo(&connections[sent % connection_count], due);
	}
}

static void see_to(struct epoll_event *event)
{
	struct connection *connection = event->data.ptr;
	if (event->events & EPOLLOUT) send_unsent(connection);
	if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		do read_frames(connection);
		while (transport_has_more(connection->transport));
	}
}

/* Open loop: sleeps until the tick at which the next message is due or past, sends, and reads what has come meanwhile. */
static void run_ticks(void)
{
	struct epoll_event events[EVENTS];
	const int64_t give_up_ns = end_ns + (int64_t)DRAIN_MS * 1000000;
	for (;;) {
		/* First: whoever overslept the end still owes what was due before it. */
		send_due();
		const int64_t now = now_ns();
		if (now >= give_up_ns || (now >= end_ns && answered == sent)) return;
		int count;
		do {
			count = epoll_wait(epoll, events, EVENTS, 0);
			for (int i = 0; i < count; i++) see_to(&events[i]);
		} while (count == EVENTS);
		int64_t due = (int64_t)((double)sent * 1e9 / rate);
		if (start_ns + due >= end_ns) due = now_ns() - start_ns + 1000000;
		const int64_t wake = start_ns + (due + tick_ns - 1) / tick_ns * tick_ns;
		const struct timespec until = {.tv_sec = wake / 1000000000, .tv_nsec = wake % 1000000000};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
}

static void run_loop(void)
{
	struct epoll_event events[EVENTS];
	const int64_t give_up_ns = end_ns + (int64_t)DRAIN_MS * 1000000;
	for (;;) {
		if (rate > 0) send_due();
		const int64_t now = now_ns();
		if (now >= give_up_ns || (now >= end_ns && answered == sent)) return;
		/* The open loop spins, so that no timer of the kernel's is in its send lag. */
		const int count = epoll_wait(epoll, events, EVENTS, rate > 0 && now < end_ns ? 0 : 100);
		if (rate > 0) send_due();
		for (int i = 0; i < count; i++) {
			see_to(&events[i]);
			if (rate > 0) send_due();
		}
	}
}

static double microseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static uint64_t rss_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2) die("can't read /proc/self/statm");
	fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double number(const char *name, const char *text, double minimum, double maximum)
{
	char *end;
	const double value = strtod(text, &end);
	if (*text == '\0' || *end != '\0' || !(value >= minimum && value <= maximum))
		die("%s is %s, expected a number from %g to %g", name, text, minimum, maximum);
	return value;
}

int main(int count, char **arguments)
{
	if (count < 6 || count > 8) die("usage: epoll-client HOST PORT CONNECTIONS SECONDS MESSAGE_BYTES [RATE [TICK_US]]");
	host = arguments[1];
	port = (int)number("PORT", arguments[2], 1, 65535);
	connection_count = (size_t)number("CONNECTIONS", arguments[3], 1, 5e6);
	seconds = number("SECONDS", arguments[4], 0.01, 86400);
	message_bytes = (size_t)number("MESSAGE_BYTES", arguments[5], MIN_MESSAGE, MAX_MESSAGE);
	if (count > 6) rate = number("RATE", arguments[6], 1, 1e8);
	if (count > 7) {
		tick_ns = (int64_t)(number("TICK_US", arguments[7], 1, 1e6) * 1e3);
		/* By default the kernel may wake a thread up to 50 us late, to save power. */
		prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	}

	struct rlimit descriptors;
	getrlimit(RLIMIT_NOFILE, &descriptors);
	descriptors.rlim_cur = descriptors.rlim_max;
	setrlimit(RLIMIT_NOFILE, &descriptors);
	if (connection_count + 16 > descriptors.rlim_max)
		die("%zu connections need %zu descriptors, the hard limit is %llu (ulimit -Hn)", connection_count,
		    connection_count + 16, (unsigned long long)descriptors.rlim_max);
	if (getrandom(&random_state, sizeof random_state, 0) != sizeof random_state) die("getrandom: %s", strerror(errno));
	random_state |= 1;
#ifdef DEFLATE
	open_streams();
#endif
	epoll = epoll_create1(EPOLL_CLOEXEC);
	connections = calloc(connection_count, sizeof *connections);
	if (epoll < 0 || connections == NULL) die("can't start: %s", strerror(errno));

	const uint64_t rss_before = rss_bytes();
	const int64_t connecting_ns = now_ns();
	for (size_t i = 0; i < connection_count; i++) {
		connections[i].number = (uint32_t)i;
		open_connection(&connections[i]);
	}

	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	start_ns = now_ns();
	end_ns = start_ns + (int64_t)(seconds * 1e9);
	if (rate == 0)
		for (size_t i = 0; i < connection_count; i++) send_echo(&connections[i], now_ns());
	if (tick_ns > 0) run_ticks();
	else run_loop();
	const int64_t finish_ns = now_ns();
	getrusage(RUSAGE_SELF, &after);

	const double user_us = microseconds(after.ru_utime) - microseconds(before.ru_utime);
	const double system_us = microseconds(after.ru_stime) - microseconds(before.ru_stime);
	const double span = (double)(finish_ns - start_ns) / 1e9;
	const uint64_t rss = rss_bytes();
	printf("{\"client\":\"epoll-client\",\"mode\":\"%s\",\"connections\":%zu,\"messageBytes\":%zu", rate > 0 ? "open" : "closed",
	       connection_count, message_bytes);
	printf(",\"connectMs\":%.1f,\"seconds\":%.3f", (double)(start_ns - connecting_ns) / 1e6, span);
	if (rate > 0) printf(",\"ratePerSecond\":%g", rate);
	printf(",\"sent\":%llu,\"roundTrips\":%llu", (unsigned long long)sent, (unsigned long long)answered);
	printf(",\"roundTripsPerSecond\":%.0f", (double)answered / span);
	printf(",\"userMs\":%.1f,\"systemMs\":%.1f", user_us / 1e3, system_us / 1e3);
	printf(",\"cpuUsPerRoundTrip\":%.3f", answered ? (user_us + system_us) / (double)answered : 0.0);
	printf(",\"rssBytes\":%llu", (unsigned long long)rss);
	printf(",\"rssBytesPerConnection\":%.0f,", (double)(rss - rss_before) / (double)connection_count);
	print_us("latencyUs", &latency);
	printf(",");
	if (rate > 0) print_us("sendLagUs", &send_lag);
	else printf("\"sendLagUs\":null");
	printf("}\n");
	return 0;
}
