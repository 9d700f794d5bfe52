/*
 * What the client sends and receives by: the system's calls, or with -DTLS OpenSSL 3 over them (-lssl -lcrypto). Only
 * what a fast client needs: the server's certificate is not looked at.
 */
#ifdef TLS
#include <openssl/ssl.h>

typedef SSL *transport;
static SSL_CTX *tls_context;

static transport transport_open(int fd)
{
	if (tls_context == NULL) {
		tls_context = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_min_proto_version(tls_context, TLS1_2_VERSION);
		SSL_CTX_set_mode(tls_context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		/* One system call for a record's head and body. */
		SSL_CTX_set_read_ahead(tls_context, 1);
	}
	SSL *ssl = SSL_new(tls_context);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1) return NULL;
	return ssl;
}

/* -1 with EAGAIN or another errno, as the system's call. */
static ssize_t transport_result(transport ssl, int result)
{
	if (result > 0) return result;
	const int error = SSL_get_error(ssl, result);
	if (error == SSL_ERROR_ZERO_RETURN) return 0;
	errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
	return -1;
}

static ssize_t transport_send(transport ssl, int fd, const void *from, size_t length)
{
	(void)fd;
	return transport_result(ssl, SSL_write(ssl, from, (int)length));
}

static ssize_t transport_receive(transport ssl, int fd, void *to, size_t length)
{
	(void)fd;
	return transport_result(ssl, SSL_read(ssl, to, (int)length));
}

/* What has been read ahead, which epoll does not tell of. */
static int transport_has_more(transport ssl)
{
	return SSL_has_pending(ssl);
}
#else
typedef char transport;

static transport transport_open(int fd)
{
	(void)fd;
	return 1;
}

static ssize_t transport_send(transport plain, int fd, const void *from, size_t length)
{
	(void)plain;
	return send(fd, from, length, MSG_NOSIGNAL);
}

static ssize_t transport_receive(transport plain, int fd, void *to, size_t length)
{
	(void)plain;
	return recv(fd, to, length, 0);
}

static int transport_has_more(transport plain)
{
	(void)plain;
	return 0;
}
#endif
