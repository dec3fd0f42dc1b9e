// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is said of interfaces that nothing can be attached to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/pods.h"

#define MANY 200

/* Interfaces 1 to count, one of which refuses. */
static size_t count;
static __u32 refusing;

int __wrap_dp_attach(struct dp *dp, enum dp_hook hook, __u32 ifindex);
int __wrap_dp_attach(struct dp *dp, enum dp_hook hook, __u32 ifindex)
{
	return ifindex == refusing ? -EBUSY : 0;
}

void __wrap_dp_detach(struct dp *dp, enum dp_hook hook, __u32 ifindex);
void __wrap_dp_detach(struct dp *dp, enum dp_hook hook, __u32 ifindex)
{
}

const char *__wrap_dp_attach_text(enum dp_hook hook, __u32 ifindex, int err,
				  char *text);
const char *__wrap_dp_attach_text(enum dp_hook hook, __u32 ifindex, int err,
				  char *text)
{
	return strerror(-err);
}

char *__wrap_if_indextoname(unsigned int ifindex, char *name);
char *__wrap_if_indextoname(unsigned int ifindex, char *name)
{
	return strcpy(name, "veth");
}

size_t __wrap_nexthops_pods(const struct nexthops *n, __u32 *ret, size_t room);
size_t __wrap_nexthops_pods(const struct nexthops *n, __u32 *ret, size_t room)
{
	for (size_t i = 0; i < count && i < room; i++)
		ret[i] = i + 1;
	return count;
}

static void rounds(struct pods *p, int n)
{
	while (n--)
		pods_check(p);
}

static void what_is_not_attached_is_said_until_it_is(void **state)
{
	struct parts parts = {};
	struct pods p = { .parts = &parts, .are_here = true };

	count = MANY;
	refusing = MANY - 1;
	pods_follow(&p);
	assert_true(*p.refusal.text);
	/* while others are looked at, and when others come */
	for (int i = 0; i < 20; i++) {
		rounds(&p, 1);
		assert_true(*p.refusal.text);
		count += i & 1;
		pods_follow(&p);
		assert_true(*p.refusal.text);
	}
	refusing = 0;
	rounds(&p, 10);
	assert_string_equal(p.refusal.text, "");
	/* one that was taken away, and cannot be had again */
	refusing = 3;
	rounds(&p, 10);
	assert_true(*p.refusal.text);
	/* all go, and that one as well */
	count = 2;
	pods_follow(&p);
	rounds(&p, 2);
	assert_string_equal(p.refusal.text, "");
	pods_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_attached_is_said_until_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
