/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records (record.h) over a stream socket on a loop. Either end may be the one
 * that was taken over: what is no record ends the channel, with a reason.
 */
#ifndef FAIRLEAD_CHANNEL_H
#define FAIRLEAD_CHANNEL_H

#include "base/loop.h"
#include "record.h"

/* So much may wait to be sent before channel_is_full(). */
#define CHANNEL_FULL (256 * 1024)

struct channel;

struct channel_ops {
	/* NULL, or why the other end is not to be believed any more. */
	const char *(*record)(void *arg, struct record *r);
	/* All that had come has been handed on; NULL: nobody asks. */
	void (*read_all)(void *arg);
	/* It is not full any more; NULL: nobody asks. */
	void (*drained)(void *arg);
	/* The end: why is NULL if the other side has closed it. Once; may call
	 * channel_close(). */
	void (*closed)(void *arg, const char *why);
	/* Descriptors are taken with records, by channel_take_fd(): else, who
	 * sends some is not given that much. */
	bool takes_fds;
};

/* fd is the channel's from here on, also on failure. -errno. */
int channel_open(struct loop *l, int fd, const struct channel_ops *ops,
		 void *arg, struct channel **ret);
void channel_close(struct channel *c);	/* NULL is fine */

/* A record that was ended; copied. With a descriptor, which stays the
 * caller's: an error of this call alone. -errno. */
void channel_send(struct channel *c, const char *record, size_t len);
int channel_send_fd(struct channel *c, const char *record, size_t len, int fd);

/* From within record(): the descriptor that came with it, the caller's. -1: it
 * has none. */
int channel_take_fd(struct channel *c);
bool channel_is_full(const struct channel *c);

#endif
