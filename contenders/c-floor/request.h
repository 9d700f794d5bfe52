/* What clients ask for: an HTTP request, then the contract's messages. Nothing here keeps or changes anything. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sha1.h"

enum { MAX_ROOM = 64, MAX_ANSWER = 256 };

enum kind { ECHO, SAY, JOIN, CRASH, INVALID };

struct request {
	enum kind kind;
	const char *room;
	size_t room_length;
	const char *reason;
};

static inline size_t room_length(const char *at, const char *end)
{
	const char *from = at;
	while (at < end && at - from <= MAX_ROOM &&
	       ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '.' ||
	        *at == '_' || *at == '-'))
		at++;
	return (size_t)(at - from);
}

/* By the leading bytes, which the contract's key order allows. */
static inline struct request parse_message(const char *at, size_t length)
{
	static const char echo[] = "{\"type\":\"echo\",\"from\":\"", say[] = "{\"type\":\"say\",\"room\":\"",
			  join[] = "{\"type\":\"join\",\"room\":\"", crash[] = "{\"type\":\"crash\"}", from[] = "\",\"from\":\"";
	const char *end = at + length;
#define STARTS(text, what) ((size_t)(end - (text)) >= sizeof(what) - 1 && memcmp(text, what, sizeof(what) - 1) == 0)
	if (STARTS(at, echo)) return (struct request){.kind = ECHO};
	if (STARTS(at, say) || STARTS(at, join)) {
		const int is_say = at[9] == 's';
		const char *room = at + (is_say ? sizeof say : sizeof join) - 1;
		const size_t name = room_length(room, end);
		const char *rest = room + name;
		if (name == 0 || name > MAX_ROOM || rest == end || *rest != '"')
			return (struct request){.kind = INVALID, .reason = "room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -"};
		if (is_say && STARTS(rest, from)) return (struct request){SAY, room, name, NULL};
		if (!is_say && end - rest == 2 && rest[1] == '}') return (struct request){JOIN, room, name, NULL};
		return (struct request){.kind = INVALID, .reason = "expected the contract's keys in its order"};
	}
	if (length == sizeof crash - 1 && STARTS(at, crash)) return (struct request){.kind = CRASH};
#undef STARTS
	return (struct request){.kind = INVALID, .reason = "type: expected join, echo, say or crash"};
}

/* A header's value without the spaces around it, or NULL. `head` ends in an empty line. */
static inline const char *find_header(const char *head, const char *name, size_t *length)
{
	const size_t size = strlen(name);
	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, size) != 0 || line[size] != ':') continue;
		const char *value = line + size + 1 + strspn(line + size + 1, " \t");
		*length = strcspn(value, "\r\n");
		while (*length > 0 && (value[*length - 1] == ' ' || value[*length - 1] == '\t')) --*length;
		return value;
	}
	return NULL;
}

/* Whether a header is a list with this word in it, in whatever case. */
static inline int has_token(const char *head, const char *name, const char *token)
{
	size_t length = 0;
	const char *at = find_header(head, name, &length);
	const size_t size = strlen(token);
	for (const char *end = at + length; at != NULL && at < end;) {
		at += strspn(at, " \t,");
		const size_t word = strcspn(at, " \t,\r\n");
		if (word == size && strncasecmp(at, token, size) == 0) return 1;
		at += word == 0 ? 1 : word;
	}
	return 0;
}

static inline int is_key(const char *key, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	return key != NULL && length == 24 && strspn(key, digits) == 22 && key[22] == '=' && key[23] == '=';
}

enum answered { REFUSED, UPGRADED, STATS };

/* Whether the path of a request, whose query does not matter, is this one. */
static inline int is_path(const char *path, const char *expected)
{
	const size_t size = strlen(expected);
	return strncmp(path, expected, size) == 0 && (path[size] == ' ' || path[size] == '?');
}

/* Writes the answer to a request, whose head ends in an empty line and a zero; none to STATS. */
static inline enum answered answer_request(const char *head, char answer[MAX_ANSWER])
{
	const char *status = "404 Not Found", *extra = "";
	size_t key_length = 0, version_length = 0;
	if (strncmp(head, "GET ", 4) != 0) {
		status = strstr(head, " HTTP/1.") == NULL ? "400 Bad Request" : "405 Method Not Allowed";
	} else if (is_path(head + 4, "/stats")) {
		return STATS;
	} else if (is_path(head + 4, "/ws")) {
		const char *key = find_header(head, "Sec-WebSocket-Key", &key_length);
		const char *version = find_header(head, "Sec-WebSocket-Version", &version_length);
		if (!has_token(head, "Upgrade", "websocket") || !has_token(head, "Connection", "upgrade") || version == NULL ||
		    version_length != 2 || memcmp(version, "13", 2) != 0) {
			status = "426 Upgrade Required";
			extra = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
		} else if (!is_key(key, key_length)) {
			status = "400 Bad Request";
		} else {
			char salted[61], accept[29];
			uint8_t digest[20];
			snprintf(salted, sizeof salted, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
			sha1((const uint8_t *)salted, 60, digest);
			base64_of_digest(digest, accept);
			snprintf(answer, MAX_ANSWER,
			         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			         "Sec-WebSocket-Accept: %s\r\n\r\n",
			         accept);
			return UPGRADED;
		}
	}
	snprintf(answer, MAX_ANSWER, "HTTP/1.1 %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n", status, extra);
	return REFUSED;
}

#endif
