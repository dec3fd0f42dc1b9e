/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One look at one server, in a process without rights: a connection, a
 * question, an answer that is to be of some kind. A type of probe (probe_tcp.c
 * ...) knows how; when, and what follows from it, are others' to say. Nothing
 * is kept from one probe to the next: each has a socket of its own.
 *
 * Whoever runs probes keeps their time: a type sets no timer. After timeout_ms
 * its cancel() is called, whatever it is doing, and what it was waiting_for()
 * is the reason; so an answer that drips in outlives nothing.
 */
#ifndef FAIRLEAD_PROBE_H
#define FAIRLEAD_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

#include "base/loop.h"

#define PROBE_WHY_MAX 96
#define PROBE_BYTES_MAX (64 * 1024)	/* of an answer, that are read */
#define PROBE_INTERFACE_MAX 16		/* IFNAMSIZ */
#define PROBE_STATUS_RANGES_MAX 16
#define PROBE_ARGV_MAX 32

/* Append only: kept states name them by digest. */
enum probe_kind {
	PROBE_TCP = 1,
	PROBE_TLS,
	PROBE_HTTP,
	PROBE_HTTPS,
	PROBE_UDP,
	PROBE_DNS,
	PROBE_ICMP,
	PROBE_FILE,
	PROBE_AGENT,
	PROBE_EXEC,
	NR_PROBE_KINDS,
};

enum probe_verify { PROBE_VERIFY_OFF, PROBE_VERIFY_CHAIN, PROBE_VERIFY_FULL };

/* Bytes, and no NUL behind them that counts. data NULL: not said. */
struct probe_bytes {
	char *data;
	size_t len;
};

struct probe_range {
	__u16 first, last;	/* of HTTP's status, both are in it */
};

/*
 * What is asked of whom. All of it has been checked when a type sees it, is
 * owned by who keeps the spec, and stays as it is until the probe is over.
 * Strings: NULL where nothing was said. Which fields count is the type's to
 * say.
 */
struct probe_spec {
	__u8 kind;		/* enum probe_kind */
	struct addr addr;	/* ::ffff:a.b.c.d is IPv4 */
	__u16 port;		/* host order */
	struct addr source;	/* all zero: the kernel's choice */
	char interface[PROBE_INTERFACE_MAX]; /* "": the kernel's choice */
	__u32 mark;		/* SO_MARK; 0: none. See probe_socket() */
	__u32 timeout_ms;	/* for all of it */

	struct probe_bytes send, expect; /* tcp, udp: expect is anywhere in
					  * what is answered */
	bool no_unreachable;	/* udp: no answer is fine, if nothing says that
				 * nobody is there */
	bool proxy;		/* tcp, tls, http: a PROXY v2 LOCAL header */

	/* tls, https */
	char *sni;		/* NULL: https has host's; tls none */
	char *alpn;		/* "h2,http/1.1" */
	__u8 verify;		/* enum probe_verify */
	char *ca, *cert, *key;	/* PEM, the text itself: a process without
				 * rights opens no file */
	__u32 expires_s;	/* warn where less is left; 0: never */

	/* http, https */
	char *method;		/* NULL: GET */
	char *path;		/* NULL: "/" */
	char *host;		/* NULL: the address and port */
	char *headers;		/* "Name: value\r\n"..., as they are sent */
	struct probe_range status[PROBE_STATUS_RANGES_MAX];
	size_t nr_status;	/* 0: 200 to 299 */
	struct probe_bytes body;	/* is in the first PROBE_BYTES_MAX */

	/* dns */
	char *name;		/* NULL: "." */
	__u16 rrtype;		/* 0: SOA */
	__u8 rcode;
	bool dns_tcp;		/* else UDP */

	/* exec, file */
	char *argv[PROBE_ARGV_MAX + 1];	/* ends in a NULL */
	char *file;		/* its path */
};

enum probe_outcome {
	PROBE_PASS,
	PROBE_FAIL,		/* the server's doing */
	PROBE_NO_RESULT,	/* our own: says nothing of the server */
};

/* What an agent or a file may say beside up and down. */
enum probe_advice { PROBE_ADVICE_NONE, PROBE_ADVICE_DRAIN,
		    PROBE_ADVICE_WEIGHT };

struct probe_result {
	__u8 outcome;		/* enum probe_outcome */
	__u8 advice;		/* enum probe_advice */
	__u8 warns;		/* passed, but why is a warning: a certificate
				 * that expires */
	__u16 weight;		/* percent of the defined one, with _WEIGHT */
	__u64 took_ns;		/* filled in by who runs it */
	/* One line of printable ASCII: "refused", "http 503", "answer is not
	 * the expected one"; of what passed, "" or what is worth saying. Bytes
	 * of the server's come through probe_why(). */
	char why[PROBE_WHY_MAX];
};

/* What a type makes of its own for a probe that runs begins with this. */
struct probe {
	const struct probe_type *type;
};

/* It is over, and p is free already. Never called from within start(); not
 * after cancel(). May start others. */
typedef void probe_done_fn(void *arg, const struct probe_result *r);

struct probe_type {
	const char *name;	/* "tcp", as definitions spell it */
	/*
	 * Begin. s outlives the probe. -errno: it could not even begin;
	 * nothing was made, done() is not called, and whether that is the
	 * server's doing is probe_outcome_of()'s to say.
	 */
	int (*start)(struct loop *l, const struct probe_spec *s,
		     probe_done_fn *done, void *arg, struct probe **ret);
	/* Stop and free it, with no word. */
	void (*cancel)(struct probe *p);
	/* "no connection", "no answer": what it would have failed for if time
	 * were up now. */
	const char *(*waiting_for)(const struct probe *p);
};

/* By enum probe_kind; NULL: there is no such type in this program. A new type
 * is an object of its file and a row here (probe_types.c). */
extern const struct probe_type *const probe_types[NR_PROBE_KINDS];

/* What probes have in common (probe_common.c). */

/*
 * A non-blocking socket towards s, bound to source, interface and mark as it
 * says; type: SOCK_STREAM, SOCK_DGRAM ... A stream's close() sends a RST, so
 * that no port of ours is kept in TIME_WAIT. The caller's, or -errno.
 */
int probe_socket(const struct probe_spec *s, int type, int protocol);

/* connect() to s: 0, also where it is under way. EADDRNOTAVAIL for a port
 * that is in use is tried again. -errno. */
int probe_connect(const struct probe_spec *s, int fd);

/* Whose doing an errno (positive or negative) is: of the server, or of this
 * host: EMFILE, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH ... */
enum probe_outcome probe_outcome_of(int err);

/* Outcome and why of an errno: "refused", "no route from here" ... */
void probe_fail_errno(struct probe_result *r, int err);
/* A failure of the server's, in words. */
void probe_fail(struct probe_result *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Puts bytes that a stranger sent where %s has room: printable, short. Static
 * room, good until the next call. */
const char *probe_why(const void *data, size_t len);

#endif
