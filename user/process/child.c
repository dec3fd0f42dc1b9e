// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See child.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/wait.h>

#include "base/log.h"
#include "child.h"
#include "worker.h"

#define RESTART_LEAST_MS 500
#define RESTART_MOST_MS 30000
#define LIVED_WELL_S 60		/* who did is restarted soon */
#define TEXT_MAX 256

struct child {
	struct loop *loop;
	struct spawner *spawner;
	const struct child_ops *ops;
	void *arg;
	struct channel *channel;	/* NULL: none runs */
	struct event *restart;
	int err;		/* why none could be made last time */
	unsigned int restart_ms;
	time_t started_s;
};

static const char *title_of(const struct child *c)
{
	return spawner_worker(c->spawner)->title;
}

static void restart_later(struct child *c)
{
	if (time(NULL) - c->started_s >= LIVED_WELL_S)
		c->restart_ms = RESTART_LEAST_MS;
	timer_set(c->restart, c->restart_ms, 0);
	c->restart_ms *= 2;
	if (c->restart_ms > RESTART_MOST_MS)
		c->restart_ms = RESTART_MOST_MS;
}

static const char *on_record(void *arg, struct record *record)
{
	struct child *c = arg;

	return c->ops->record(c->arg, record);
}

static void on_read_all(void *arg)
{
	struct child *c = arg;

	if (c->ops->read_all)
		c->ops->read_all(c->arg);
}

/* How it ended is known a moment later than that it did: with the restart. */
static void on_closed(void *arg, const char *why)
{
	struct child *c = arg;
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "the process \"%s\" %s%s", title_of(c),
		 why ? "is made anew: " : "ended", why ?: "");
	channel_close(c->channel);
	c->channel = NULL;
	if (why)
		log_warning(0, "%s", text);
	if (c->ops->ended)
		c->ops->ended(c->arg, text);
	restart_later(c);
}

static const struct channel_ops channel_ops = {
	.record = on_record,
	.read_all = on_read_all,
	.closed = on_closed,
};

static int start(struct child *c)
{
	int fd = spawner_make(c->spawner);
	int err = fd < 0 ? fd : channel_open(c->loop, fd, &channel_ops, c,
					     &c->channel);

	if (err)
		return err;
	c->started_s = time(NULL);
	c->ops->begun(c->arg, c->channel);
	return 0;
}

static void log_end(struct child *c)
{
	const char *title = title_of(c);
	int status;

	while (!spawner_status(c->spawner, &status)) {
		if (WIFSIGNALED(status))
			log_warning(0, "the process \"%s\" was ended by signal %d (%s)",
				    title, WTERMSIG(status),
				    strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status))
			log_warning(0, "the process \"%s\" ended with status %d",
				    title, WEXITSTATUS(status));
	}
}

static void on_restart(void *arg)
{
	struct child *c = arg;
	int before = c->err;

	log_end(c);
	c->err = start(c);
	if (!c->err)
		return;
	if (c->err != before)
		log_error(c->err, "cannot make the process \"%s\" anew",
			  title_of(c));
	restart_later(c);
}

int child_open(struct loop *l, struct spawner *spawner,
	       const struct child_ops *ops, void *arg, struct child **ret)
{
	struct child *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->loop = l;
	c->spawner = spawner;
	c->ops = ops;
	c->arg = arg;
	c->restart_ms = RESTART_LEAST_MS;
	/* before anything is said: who is told may ask for the channel */
	*ret = c;
	err = loop_add_timer(l, on_restart, c, &c->restart) ?: start(c);
	if (err) {
		child_close(c);
		*ret = NULL;
	}
	return err;
}

void child_close(struct child *c)
{
	if (!c)
		return;
	event_remove(c->restart);
	channel_close(c->channel);
	free(c);
}

void child_renew(struct child *c, const char *why)
{
	if (c->channel)
		on_closed(c, why);
}

struct channel *child_channel(const struct child *c)
{
	return c->channel;
}
