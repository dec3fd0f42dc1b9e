// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records and descriptors between two ends of a socket, on one loop. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/channel.h"

#define MANY 200

static struct {
	struct loop *loop;
	struct channel *from, *to;
	struct event *deadline;
	__u32 seen[MANY];	/* which file came with each record; 0: none */
	size_t nr_seen, wanted;
	bool is_closed;
} world;

/* A file that its inode is known by. */
static int file_make(__u32 *ret_inode)
{
	FILE *f = tmpfile();
	int fd = dup(fileno(f));
	struct stat st;

	fclose(f);
	assert_int_equal(fstat(fd, &st), 0);
	*ret_inode = st.st_ino;
	return fd;
}

static const char *on_record(void *arg, struct record *r)
{
	struct stat st = {};
	int fd = -1;

	if (r->type == RECORD_LISTEN) {
		fd = channel_take_fd(world.to);
		if (fd >= 0) {
			assert_int_equal(fstat(fd, &st), 0);
			close(fd);
		}
	}
	world.seen[world.nr_seen++] = st.st_ino;
	if (world.nr_seen == world.wanted)
		loop_stop(world.loop);
	return NULL;
}

static void on_closed(void *arg, const char *why)
{
	world.is_closed = true;
	loop_stop(world.loop);
}

static void on_deadline(void *arg)
{
	loop_stop(world.loop);
}

static const struct channel_ops takes = {
	.record = on_record, .closed = on_closed, .takes_fds = true,
};
static const struct channel_ops takes_none = {
	.record = on_record, .closed = on_closed,
};

static void open_both(const struct channel_ops *ops)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    fds), 0);
	assert_int_equal(channel_open(world.loop, fds[0], &takes_none, NULL,
				      &world.from), 0);
	assert_int_equal(channel_open(world.loop, fds[1], ops, NULL,
				      &world.to), 0);
}

static int set_up(void **state)
{
	memset(&world, 0, sizeof(world));
	return loop_new(&world.loop) ?:
	       loop_add_timer(world.loop, on_deadline, NULL,
			      &world.deadline) ?:
	       timer_set(world.deadline, 60000, 0);
}

static int tear_down(void **state)
{
	channel_close(world.from);
	channel_close(world.to);
	event_remove(world.deadline);
	loop_free(world.loop);
	return 0;
}

/* size: of what the record has besides. */
static void send_one(int fd, size_t size)
{
	static char filling[RECORD_MAX / 2];
	struct bytes_out b = {};
	size_t begin = record_begin(&b, fd < 0 ? RECORD_PULSE : RECORD_LISTEN,
				    0);

	record_field(&b, RECORD_FIELD_BYTES, filling, size);
	assert_true(record_end(&b, begin));
	if (fd < 0)
		channel_send(world.from, b.data, b.len);
	else
		assert_int_equal(channel_send_fd(world.from, b.data, b.len,
						 fd), 0);
	bytes_free(&b);
}

/* More than a socket's buffer holds: descriptors wait with their records. */
static void descriptors_come_with_their_records(void **state)
{
	__u32 inodes[MANY] = {};

	open_both(&takes);
	for (int i = 0; i < MANY; i++) {
		int fd = i % 3 == 2 ? -1 : file_make(&inodes[i]);

		send_one(fd, i % 5 ? 100 : 100000);
		if (fd >= 0)
			close(fd);
	}
	world.wanted = MANY;
	loop_run(world.loop);
	assert_int_equal(world.nr_seen, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(world.seen[i], inodes[i]);
}

static int highest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void who_wants_none_is_given_none(void **state)
{
	__u32 inode;
	int fd = file_make(&inode), before;

	open_both(&takes_none);
	before = highest_fd();
	send_one(fd, 10);
	world.wanted = 1;
	loop_run(world.loop);
	assert_int_equal(world.nr_seen, 1);
	assert_int_equal(world.seen[0], 0);
	assert_int_equal(highest_fd(), before);
	close(fd);
}

/* As one would that was taken over. */
static void more_descriptors_than_records_are_the_end(void **state)
{
	const struct record_header h = { .len = 1000, .type = RECORD_PULSE };
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fds[2], zero = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    fds), 0);
	assert_int_equal(channel_open(world.loop, fds[1], &takes, NULL,
				      &world.to), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &zero, sizeof(zero));
	/* a record that is not whole */
	assert_int_equal(send(fds[0], &h, sizeof(h), 0), sizeof(h));
	for (int i = 0; i < 64; i++)
		sendmsg(fds[0], &m, MSG_NOSIGNAL);
	loop_run(world.loop);
	assert_true(world.is_closed);
	close(fds[0]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(descriptors_come_with_their_records),
		TEST(who_wants_none_is_given_none),
		TEST(more_descriptors_than_records_are_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
