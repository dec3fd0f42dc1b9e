// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Words from what is known of a device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/device.h"

#define ALL (DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT | DEVICE_XDP_XMIT)

static char text[DEVICE_TEXT_MAX];

static void hardware_is_fine(void **state)
{
	struct device d = { .name = "eth0", .tells_xdp = true, .xdp = ALL };

	assert_false(device_fault(&d, text));
	assert_false(device_doubt(&d, text));
	assert_true(device_takes_frames(&d));
}

/* Its driver may begin to when a program is attached. */
static void hardware_that_does_not_send_yet_is_no_fault(void **state)
{
	struct device d = {
		.name = "eth0", .tells_xdp = true,
		.xdp = DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT,
	};

	assert_false(device_fault(&d, text));
	assert_false(device_takes_frames(&d));
}

static void where_nobody_tells_nothing_is_said(void **state)
{
	struct device d = { .name = "eth0" };

	assert_false(device_fault(&d, text));
	assert_true(device_takes_frames(&d));
}

static void a_bridges_port_names_the_bridge(void **state)
{
	struct device d = { .name = "eth0", .bridge = "br0" };

	assert_true(device_fault(&d, text));
	assert_non_null(strstr(text, "uplinks: [br0]"));
}

static void a_veth_whose_peer_takes_no_frames(void **state)
{
	struct device d = {
		.name = "eth0", .tells_xdp = true,
		.xdp = DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT,
		.peer = DEVICE_PEER_HERE, .peer_name = "veth7",
	};

	assert_true(device_fault(&d, text));
	assert_non_null(strstr(text, "ethtool -K veth7 gro on"));
	d.peer = DEVICE_PEER_ELSEWHERE;
	assert_true(device_fault(&d, text));
	assert_non_null(strstr(text, "ethtool -K veth7 gro on"));
	assert_non_null(strstr(text, "in the peer's network namespace"));
	d.peer_name[0] = '\0';
	d.peer_ifindex = 12;
	assert_true(device_fault(&d, text));
	assert_non_null(strstr(text, "ethtool -K PEER gro on"));
	assert_non_null(strstr(text, "interface 12 there"));
	d.xdp = ALL;
	assert_false(device_fault(&d, text));
}

static void a_peer_that_leaves_checksums(void **state)
{
	struct device d = {
		.name = "eth0", .tells_xdp = true, .xdp = ALL,
		.peer = DEVICE_PEER_HERE, .peer_name = "veth7",
		.peer_leaves_checksums = true,
	};

	assert_true(device_fault(&d, text));
	assert_non_null(strstr(text, "ethtool -K veth7 tx off"));
	assert_false(device_doubt(&d, text));
}

static void a_peer_that_cannot_be_seen_is_doubted(void **state)
{
	struct device d = {
		.name = "eth0", .tells_xdp = true, .xdp = ALL,
		.peer = DEVICE_PEER_ELSEWHERE, .peer_ifindex = 12,
	};

	assert_false(device_fault(&d, text));
	assert_true(device_doubt(&d, text));
	assert_non_null(strstr(text, "ethtool -K PEER tx off"));
	strcpy(d.peer_name, "veth7");
	assert_false(device_doubt(&d, text));
}

/* The longest names there can be: nothing is cut. */
static void every_text_has_room(void **state)
{
	struct device d = {
		.name = "abcdefghijklmno", .bridge = "abcdefghijklmno",
		.tells_xdp = true, .xdp = DEVICE_XDP_BASIC,
		.peer = DEVICE_PEER_ELSEWHERE, .peer_ifindex = UINT32_MAX,
	};

	device_fault(&d, text);
	assert_true(strlen(text) < sizeof(text) - 1);
	d.bridge[0] = '\0';
	device_fault(&d, text);
	assert_true(strlen(text) < sizeof(text) - 1);
	device_doubt(&d, text);
	assert_true(strlen(text) < sizeof(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hardware_is_fine),
		cmocka_unit_test(hardware_that_does_not_send_yet_is_no_fault),
		cmocka_unit_test(where_nobody_tells_nothing_is_said),
		cmocka_unit_test(a_bridges_port_names_the_bridge),
		cmocka_unit_test(a_veth_whose_peer_takes_no_frames),
		cmocka_unit_test(a_peer_that_leaves_checksums),
		cmocka_unit_test(a_peer_that_cannot_be_seen_is_doubted),
		cmocka_unit_test(every_text_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
