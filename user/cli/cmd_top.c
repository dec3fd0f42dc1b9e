// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `top`: what each backend carries now, the busiest first, again and again. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/list.h"
#include "base/log.h"
#include "base/print.h"
#include "cmd.h"
#include "model/model.h"
#include "top_rows.h"
#include "view.h"

#define EVERY_MS 1000

/* What there was at one moment. */
struct look {
	LIST(struct top_row) rows;
	__u64 at_ms;
};

struct top {
	const struct options *options;
	struct look is, was;
	enum top_order order;
	bool only_down, is_paused;
	struct termios before;	/* of the terminal */
};

/* A row as print_row() wants texts: by pointers. */
struct printed {
	const char *service, *endpoint, *state;
	__u64 weight, packets_s, bits_s, new_s, packets, bytes, connections;
};

static const struct column columns[] = {
	COLUMN("service", "SERVICE", TEXT, struct printed, service),
	COLUMN("endpoint", "BACKEND", TEXT, struct printed, endpoint),
	COLUMN("state", "STATE", TEXT, struct printed, state),
	COLUMN("weight", "WEIGHT", COUNT, struct printed, weight),
	COLUMN("packets_per_s", "PACKETS/S", COUNT, struct printed, packets_s),
	COLUMN("bits_per_s", "BIT/S", COUNT, struct printed, bits_s),
	COLUMN("new_per_s", "NEW/S", COUNT, struct printed, new_s),
	COLUMN("packets", NULL, COUNT, struct printed, packets),
	COLUMN("bytes", NULL, COUNT, struct printed, bytes),
	COLUMN("connections", NULL, COUNT, struct printed, connections),
	COLUMNS_END,
};

static void look_clear(struct look *l)
{
	free(l->rows.at);
	*l = (struct look){};
}

static int add_backend(struct look *l, const struct view *v,
		       const struct state_service *s, __u32 index)
{
	const struct backend *b = &v->tables->backends[index];
	struct top_row *r = list_add(&l->rows);
	char text[ENDPOINT_TEXT_MAX];

	if (!r)
		return -ENOMEM;
	snprintf(r->service, sizeof(r->service), "%s", s->info->name);
	snprintf(r->endpoint, sizeof(r->endpoint), "%s",
		 endpoint_format(&b->addr, b->port ? ntohs(b->port) : -1,
				 text));
	r->state = backend_state_name(b->state);
	r->weight = b->weight;
	r->packets = v->stats[index].packets;
	r->bytes = v->stats[index].bytes;
	r->connections = v->stats[index].connections;
	return 0;
}

/* Logs. */
static int look_take(struct top *t, struct look *ret)
{
	const char *only = t->options->nr_arguments ?
				   t->options->arguments[0] : NULL;
	__cleanup(view_close) struct view v = {};
	int err = view_open(t->options, &v);

	if (err)
		return err;
	if (only && !view_service(&v, only))
		return -ENOENT;
	ret->at_ms = clock_ms();
	for (size_t i = 0; i < v.nr_services && !err; i++) {
		const struct state_service *s = &v.services[i];

		if (only && strcmp(only, s->info->name))
			continue;
		for (size_t j = 0; j < s->nr_backends && !err; j++)
			if (s->backends[j] < v.tables->nr_backends)
				err = add_backend(ret, &v, s, s->backends[j]);
	}
	return err ? log_error(err, "cannot look at every backend") : 0;
}

/* The next look, and what was between it and the one before. */
static int look_again(struct top *t)
{
	struct look next = {};
	int err = look_take(t, &next);

	if (err) {
		look_clear(&next);
		return err;
	}
	look_clear(&t->was);
	t->was = t->is;
	t->is = next;
	top_rates(t->is.rows.at, t->is.rows.count, t->was.rows.at,
		  t->was.rows.count, t->is.at_ms - t->was.at_ms);
	return 0;
}

static int print_rows(struct top *t, bool json, size_t most)
{
	struct print *table;
	int err = 0;

	if (print_open(stdout, json, columns, &table))
		return -ENOMEM;
	top_sort(t->is.rows.at, t->is.rows.count, t->order);
	for (size_t i = 0; i < t->is.rows.count && most && !err; i++) {
		const struct top_row *r = &t->is.rows.at[i];
		const struct printed p = {
			r->service, r->endpoint, r->state, r->weight,
			r->packets_s, r->bits_s, r->new_s, r->packets,
			r->bytes, r->connections,
		};

		if (t->only_down && !top_is_down(r))
			continue;
		err = print_row(table, &p);
		most--;
	}
	return print_close(table) ?: err;
}

static size_t lines_of_terminal(void)
{
	struct winsize size = {};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	return size.ws_row > 4 ? size.ws_row - 4 : 20;
}

static void draw(struct top *t)
{
	printf("\033[H\033[2J%zu backends, by %s%s%s   s: order, d: only what is down, space: pause, q: end\n\n",
	       t->is.rows.count, top_order_name(t->order),
	       t->only_down ? ", only what is down" : "",
	       t->is_paused ? ", paused" : "");
	print_rows(t, false, lines_of_terminal());
	fflush(stdout);
}

/* False: it is the end. */
static bool key_take(struct top *t, char key)
{
	switch (key) {
	case 'q':
	case 3:
		return false;
	case 's':
		t->order = (t->order + 1) % NR_TOP_ORDERS;
		break;
	case 'd':
		t->only_down = !t->only_down;
		break;
	case ' ':
		t->is_paused = !t->is_paused;
		break;
	}
	return true;
}

/* Until the next look is due, or a key was pressed. False: the end. */
static bool wait_for_key(struct top *t)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	const __u64 age = clock_ms() - t->is.at_ms;
	int left = age < EVERY_MS ? EVERY_MS - age : 0;
	char key;

	if (t->is_paused)
		left = -1;
	if (poll(&in, 1, left) <= 0)
		return true;
	return read(STDIN_FILENO, &key, 1) == 1 && key_take(t, key);
}

static int run(struct top *t)
{
	struct termios raw = t->before;
	int err = 0;

	/* Control-C is a key: it is to leave the terminal as it was */
	raw.c_lflag &= ~(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	do {
		if (!t->is_paused && clock_ms() - t->is.at_ms >= EVERY_MS)
			err = look_again(t);
		if (!err)
			draw(t);
	} while (!err && wait_for_key(t));
	tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	return err;
}

static int once(struct top *t)
{
	const struct timespec second = { .tv_sec = 1 };

	nanosleep(&second, NULL);
	return look_again(t) ?: print_rows(t, t->options->json, SIZE_MAX);
}

int cmd_top(const struct options *o)
{
	struct top t = { .options = o };
	const bool is_seen = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
			     !tcgetattr(STDIN_FILENO, &t.before);
	int err = look_take(&t, &t.is);

	if (!err)
		err = o->once || o->json || !is_seen ? once(&t) : run(&t);
	look_clear(&t.is);
	look_clear(&t.was);
	return err ? FAILED : DONE;
}
