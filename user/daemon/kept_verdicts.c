// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See kept_verdicts.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/contents.h"
#include "kept_verdicts.h"

#define MAGIC 0x3164656c6c6b7066ull

struct head {
	__u64 magic, written_s;
	__u64 count;
};

static int compare(const void *x, const void *y)
{
	const struct kept_verdict *a = x, *b = y;

	return a->digest < b->digest ? -1 : a->digest > b->digest;
}

static bool is_sound(const struct kept_verdict *k)
{
	size_t i = 0;

	while (i < sizeof(k->why) && k->why[i] >= ' ' && k->why[i] < 0x7f)
		i++;
	return k->state < NR_CHECK_STATES && k->flaps <= 16 &&
	       i < sizeof(k->why) && !k->why[i];
}

/* The entries behind the head. */
static int take(const char *text, size_t len, __u64 now_s,
		struct kept_verdicts *ret)
{
	size_t size = sizeof(struct kept_verdict);
	struct head head;

	if (len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, text, sizeof(head));
	if (head.magic != MAGIC || head.count > HEALTH_CHECKS_MAX ||
	    len != sizeof(head) + head.count * size)
		return -EBADMSG;
	if (head.written_s > now_s ||
	    now_s - head.written_s > KEPT_VERDICTS_MAX_AGE_S)
		return -ESTALE;
	ret->list = calloc(head.count + 1, size);
	if (!ret->list)
		return -ENOMEM;
	memcpy(ret->list, text + sizeof(head), head.count * size);
	for (size_t i = 0; i < head.count; i++)
		if (is_sound(&ret->list[i]))
			ret->list[ret->count++] = ret->list[i];
	qsort(ret->list, ret->count, size, compare);
	return 0;
}

int kept_verdicts_read(const char *path, __u64 now_s,
		       struct kept_verdicts *ret)
{
	size_t most = sizeof(struct head) +
		      HEALTH_CHECKS_MAX * sizeof(struct kept_verdict);
	__cleanup(free_text) char *text = NULL;
	size_t len = 0;
	int err = contents_read(path, most, &text, &len);

	*ret = (struct kept_verdicts){};
	return err ?: take(text, len, now_s, ret);
}

static bool write_all(int fd, const void *data, size_t len)
{
	return write(fd, data, len) == (ssize_t)len;
}

int kept_verdicts_write(const char *path, __u64 now_s,
			struct kept_verdicts *k)
{
	const struct head head = { MAGIC, now_s, k->count };
	char other[PATH_MAX];
	__cleanup(close_fd) int fd = -1;

	qsort(k->list, k->count, sizeof(*k->list), compare);
	snprintf(other, sizeof(other), "%s.new", path);
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return -errno;
	if (!write_all(fd, &head, sizeof(head)) ||
	    !write_all(fd, k->list, k->count * sizeof(*k->list)) ||
	    rename(other, path)) {
		unlink(other);
		return -EIO;
	}
	return 0;
}

const struct kept_verdict *kept_verdicts_find(const struct kept_verdicts *k,
					      __u64 digest)
{
	const struct kept_verdict key = { .digest = digest };

	return k->count ? bsearch(&key, k->list, k->count, sizeof(key),
				  compare) : NULL;
}

void kept_verdicts_clear(struct kept_verdicts *k)
{
	free(k->list);
	*k = (struct kept_verdicts){};
}
