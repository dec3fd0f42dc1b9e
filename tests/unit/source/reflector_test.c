// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is asked of an API server after each of its answers, by a clock of the
 * tests' own. The answers are those of the API's documentation ("API
 * concepts"), and of servers that keep to nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/reflector.h"

#define SECOND 1000ull
#define MINUTE (60 * SECOND)

static const struct reflector_kind slices = {
	.name = "slices",
	.paths = { "/apis/v1/slices", "/apis/v1beta1/slices" },
	.label_selector = "!headless",
	.field_selector = "spec.clusterIP!=None",
};

static struct reflector r;
static __u64 now;
static char path[REFLECTOR_PATH_MAX];
static __u64 wait_ms;

static void begin_of(const struct reflector_kind *kind)
{
	now = 1000 * SECOND;
	reflector_init(&r, kind, 42);
}

static enum reflector_request next(void)
{
	return reflector_next(&r, now, path, &wait_ms);
}

/* The next request, after the wait that there is before it. */
static enum reflector_request later(void)
{
	enum reflector_request what = next();

	if (what || !wait_ms)
		return what;
	now += wait_ms;
	return next();
}

static enum reflector_result ends(int status, const char *error)
{
	if (status)
		reflector_on_status(&r, status, now);
	return reflector_on_end(&r, status, error, 0, now);
}

#define EXPECT_LIST(query) do { \
	assert_int_equal(later(), REFLECTOR_LIST); \
	assert_string_equal(path, "/apis/v1/slices?" query \
		"&labelSelector=%21headless" \
		"&fieldSelector=spec.clusterIP%21%3DNone"); \
} while (0)

/* A watch from a version on; its time is at random. */
#define EXPECT_WATCH(version) do { \
	assert_int_equal(later(), REFLECTOR_WATCH); \
	assert_non_null(strstr(path, "&resourceVersion=" version "&")); \
} while (0)

static void list_is(const char *version, const char *next_page)
{
	reflector_on_status(&r, 200, now);
	assert_true(reflector_on_list(&r, version, next_page));
}

static void listed(const char *version)
{
	list_is(version, "");
	assert_int_equal(reflector_on_end(&r, 200, NULL, 0, now),
			 REFLECTOR_COMPLETE);
}

static void watching_from(const char *version)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	listed(version);
	assert_int_equal(next(), REFLECTOR_WATCH);
}

static void error_event(int code, const char *reason, const char *cause)
{
	reflector_on_error(&r, &(struct reflector_status){
		.code = code, .reason = reason, .cause = cause });
}

static void first_a_list_from_memory_then_a_watch(void **state)
{
	begin_of(&slices);
	EXPECT_LIST("resourceVersion=0");
	assert_false(r.is_complete);
	listed("17");
	assert_true(r.is_complete);
	EXPECT_WATCH("17");
	assert_non_null(strstr(path, "/apis/v1/slices?watch=1"
				     "&allowWatchBookmarks=true"));
	assert_int_equal(next(), REFLECTOR_NOTHING);
	assert_int_equal(wait_ms, 0);
}

static void a_watch_lasts_five_to_ten_minutes(void **state)
{
	unsigned int seconds, least = 9999, most = 0;

	watching_from("1");
	for (int i = 0; i < 1000; i++) {
		seconds = strtoul(strstr(path, "timeoutSeconds=") + 15, NULL,
				  10);
		least = seconds < least ? seconds : least;
		most = seconds > most ? seconds : most;
		now += seconds * SECOND;
		assert_int_equal(ends(200, NULL), REFLECTOR_WENT_ON);
		assert_int_equal(next(), REFLECTOR_WATCH);
	}
	assert_in_range(least, 300, 310);
	assert_in_range(most, 590, 600);
}

static void a_watch_that_ends_goes_on_from_the_last_event(void **state)
{
	watching_from("17");
	assert_true(reflector_on_version(&r, "18"));
	assert_true(reflector_on_version(&r, "99"));
	now += 300 * SECOND;
	assert_int_equal(ends(200, NULL), REFLECTOR_WENT_ON);
	assert_string_equal(r.failure, "");
	EXPECT_WATCH("99");
}

static void a_watch_that_breaks_off_goes_on_after_a_moment(void **state)
{
	watching_from("17");
	now += 100 * SECOND;
	assert_int_equal(ends(200, "connection reset"), REFLECTOR_FAILED);
	assert_string_equal(r.failure, "slices: connection reset");
	assert_int_equal(next(), REFLECTOR_NOTHING);
	assert_in_range(wait_ms, 250, 750);
	EXPECT_WATCH("17");
	reflector_on_status(&r, 200, now);
	reflector_steady(&r, now);
	assert_string_not_equal(r.failure, "");
	now += 2 * SECOND;
	reflector_steady(&r, now);
	assert_string_equal(r.failure, "");
}

static void an_event_says_that_all_is_well(void **state)
{
	watching_from("17");
	assert_int_equal(ends(200, "reset"), REFLECTOR_FAILED);
	EXPECT_WATCH("17");
	reflector_on_status(&r, 200, now);
	assert_true(reflector_on_version(&r, "18"));
	assert_string_equal(r.failure, "");
}

static void one_that_breaks_off_each_time_is_not_well(void **state)
{
	watching_from("17");
	for (int i = 0; i < 2; i++) {
		reflector_on_status(&r, 200, now);
		now += 1 * SECOND;
		reflector_steady(&r, now);
		assert_int_equal(ends(200, "garbage"), REFLECTOR_FAILED);
		assert_string_equal(r.failure, "slices: garbage");
		EXPECT_WATCH("17");
	}
}

/* Versions are opaque: what they have may have a meaning in a URL. */
static void a_version_is_escaped(void **state)
{
	watching_from("a&b=c/%");
	assert_non_null(strstr(path, "&resourceVersion=a%26b%3Dc%2F%25&"));
}

static void a_version_that_is_none_is_refused(void **state)
{
	char version[REFLECTOR_VERSION_MAX + 1] = "";

	watching_from("1");
	assert_false(reflector_on_version(&r, ""));
	memset(version, '1', REFLECTOR_VERSION_MAX);
	assert_false(reflector_on_version(&r, version));
	assert_string_equal(r.version, "1");
}

static void waits_grow_up_to_a_limit_and_differ(void **state)
{
	__u64 least = 0, sum = 0;

	begin_of(&slices);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(later(), REFLECTOR_LIST);
		assert_int_equal(ends(0, "refused"), REFLECTOR_FAILED);
		assert_int_equal(next(), REFLECTOR_NOTHING);
		assert_in_range(wait_ms, 250, 15 * SECOND);
		if (i >= 6)
			assert_in_range(wait_ms, 5 * SECOND, 15 * SECOND);
		least = i ? least : wait_ms;
		sum += wait_ms;
	}
	assert_in_range(least, 250, 750);
	assert_in_range(sum, 100 * SECOND, 300 * SECOND);
}

static void two_reflectors_do_not_come_back_at_once(void **state)
{
	__u64 first;

	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	ends(0, "refused");
	next();
	first = wait_ms;
	reflector_init(&r, &slices, 43);
	assert_int_equal(next(), REFLECTOR_LIST);
	ends(0, "refused");
	next();
	assert_int_not_equal(first, wait_ms);
}

/* ... as the server has forgotten what was after that version. */
static void an_expired_watch_is_listed_anew_at_once(void **state)
{
	watching_from("17");
	now += 400 * SECOND;
	reflector_on_status(&r, 200, now);
	error_event(410, "Expired", NULL);
	assert_int_equal(reflector_on_end(&r, 200, NULL, 0, now),
			 REFLECTOR_WENT_ON);
	EXPECT_LIST("resourceVersion=17&resourceVersionMatch=NotOlderThan");
	listed("80");
	EXPECT_WATCH("80");
}

static void gone_as_a_status_is_the_same(void **state)
{
	watching_from("17");
	assert_int_equal(ends(410, NULL), REFLECTOR_WENT_ON);
	EXPECT_LIST("resourceVersion=17&resourceVersionMatch=NotOlderThan");
}

static void a_list_that_is_gone_is_taken_from_the_database(void **state)
{
	watching_from("17");
	ends(410, NULL);
	EXPECT_LIST("resourceVersion=17&resourceVersionMatch=NotOlderThan");
	assert_int_equal(ends(410, NULL), REFLECTOR_FAILED);
	EXPECT_LIST("resourceVersion=");
	listed("80");
	EXPECT_WATCH("80");
}

static void expiry_without_end_is_not_asked_without_end(void **state)
{
	__u64 begin;

	watching_from("17");
	begin = now;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ends(410, NULL), REFLECTOR_WENT_ON);
		assert_int_equal(later(), REFLECTOR_LIST);
		listed("17");
		assert_int_equal(later(), REFLECTOR_WATCH);
	}
	assert_true(now - begin > 20 * SECOND);
}

/* A list asked to be as new as what was seen, at a server that is behind. */
static void a_version_that_is_not_reached_yet(void **state)
{
	watching_from("17");
	ends(410, NULL);
	assert_int_equal(later(), REFLECTOR_LIST);
	reflector_on_status(&r, 504, now);
	reflector_on_error(&r, &(struct reflector_status){
		.code = 504, .reason = "Timeout",
		.message = "Too large resource version",
		.cause = "ResourceVersionTooLarge", .retry_after_s = 3 });
	assert_int_equal(reflector_on_end(&r, 504, NULL, 0, now),
			 REFLECTOR_FAILED);
	assert_string_equal(r.failure, "slices: the server says 504 Timeout: "
				       "Too large resource version");
	next();
	assert_in_range(wait_ms, 3 * SECOND, 3 * SECOND + 500);
	EXPECT_LIST("resourceVersion=");
	assert_false(r.is_paged);
}

static void a_watch_ahead_of_the_server_is_listed_anew(void **state)
{
	watching_from("17");
	reflector_on_status(&r, 200, now);
	error_event(504, "Timeout", "ResourceVersionTooLarge");
	assert_int_equal(reflector_on_end(&r, 200, NULL, 0, now),
			 REFLECTOR_FAILED);
	EXPECT_LIST("resourceVersion=17&resourceVersionMatch=NotOlderThan");
}

static void another_error_event_is_watched_again_thrice(void **state)
{
	watching_from("17");
	for (int i = 0; i < 2; i++) {
		reflector_on_status(&r, 200, now);
		error_event(500, "InternalError", NULL);
		assert_int_equal(reflector_on_end(&r, 200, NULL, 0, now),
				 REFLECTOR_FAILED);
		EXPECT_WATCH("17");
	}
	reflector_on_status(&r, 200, now);
	error_event(500, "InternalError", NULL);
	reflector_on_end(&r, 200, NULL, 0, now);
	EXPECT_LIST("resourceVersion=17&resourceVersionMatch=NotOlderThan");
}

static void a_server_that_is_away_costs_no_new_list(void **state)
{
	watching_from("17");
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ends(0, "refused"), REFLECTOR_FAILED);
		EXPECT_WATCH("17");
	}
}

static void watches_that_end_at_once_are_not_asked_without_end(void **state)
{
	watching_from("17");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ends(200, NULL), REFLECTOR_FAILED);
		assert_int_equal(next(), REFLECTOR_NOTHING);
		assert_true(wait_ms >= 250);
		assert_int_not_equal(later(), REFLECTOR_NOTHING);
		if (r.under_way == REFLECTOR_LIST) {
			listed("17");
			assert_int_equal(next(), REFLECTOR_WATCH);
		}
	}
}

static void a_selector_that_is_refused_is_left_out(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	reflector_on_status(&r, 400, now);
	error_event(400, "BadRequest", NULL);
	assert_int_equal(reflector_on_end(&r, 400, NULL, 0, now),
			 REFLECTOR_WENT_ON);
	assert_int_equal(next(), REFLECTOR_LIST);
	assert_null(strstr(path, "fieldSelector"));
	assert_non_null(strstr(path, "labelSelector=%21headless"));
	listed("17");
	assert_int_equal(next(), REFLECTOR_WATCH);
	assert_null(strstr(path, "fieldSelector"));
}

static void one_that_must_not_be_left_out_is_not(void **state)
{
	struct reflector_kind nodes = slices;

	nodes.must_filter = true;
	begin_of(&nodes);
	assert_int_equal(next(), REFLECTOR_LIST);
	assert_int_equal(ends(400, NULL), REFLECTOR_FAILED);
	assert_string_equal(r.failure, "slices: the server says 400");
	EXPECT_LIST("resourceVersion=0");
}

static void an_older_version_of_the_api_is_found(void **state)
{
	begin_of(&slices);
	EXPECT_LIST("resourceVersion=0");
	assert_int_equal(ends(404, NULL), REFLECTOR_WENT_ON);
	assert_int_equal(next(), REFLECTOR_LIST);
	assert_memory_equal(path, "/apis/v1beta1/slices?", 21);
	listed("17");
	assert_int_equal(next(), REFLECTOR_WATCH);
	assert_memory_equal(path, "/apis/v1beta1/slices?", 21);
}

static void and_the_newer_one_after_the_servers_upgrade(void **state)
{
	an_older_version_of_the_api_is_found(state);
	now += MINUTE;
	assert_int_equal(ends(404, NULL), REFLECTOR_FAILED);
	EXPECT_LIST("resourceVersion=17&resourceVersionMatch=NotOlderThan");
}

static void a_kind_that_no_version_has(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	assert_int_equal(ends(404, NULL), REFLECTOR_WENT_ON);
	assert_int_equal(next(), REFLECTOR_LIST);
	assert_int_equal(ends(404, NULL), REFLECTOR_FAILED);
	assert_string_equal(r.failure,
			    "slices: the server does not have them (404)");
	EXPECT_LIST("resourceVersion=0");
}

static void a_kind_that_need_not_be_there(void **state)
{
	struct reflector_kind ranges = slices;

	ranges.is_optional = true;
	ranges.paths[1] = NULL;
	begin_of(&ranges);
	assert_int_equal(next(), REFLECTOR_LIST);
	assert_int_equal(ends(404, NULL), REFLECTOR_ABSENT);
	assert_string_equal(r.failure, "");
	assert_int_equal(next(), REFLECTOR_NOTHING);
	assert_true(r.is_complete);
	assert_true(wait_ms >= 10 * MINUTE);
	/* but one that we may not see may be there */
	assert_int_equal(later(), REFLECTOR_LIST);
	assert_int_equal(ends(403, NULL), REFLECTOR_FAILED);
}

static void one_that_is_forbidden_is_said(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	reflector_on_status(&r, 403, now);
	reflector_on_error(&r, &(struct reflector_status){
		.code = 403, .reason = "Forbidden", .message = "not you" });
	assert_int_equal(reflector_on_end(&r, 403, NULL, 0, now),
			 REFLECTOR_FAILED);
	assert_string_equal(r.failure,
			    "slices: the server says 403 Forbidden: not you");
}

static void lists_that_break_off_are_asked_for_in_pages(void **state)
{
	begin_of(&slices);
	for (int i = 0; i < 2; i++) {
		EXPECT_LIST("resourceVersion=0");
		assert_int_equal(ends(200, "it ends in the middle"),
				 REFLECTOR_FAILED);
	}
	EXPECT_LIST("limit=500");
	assert_true(r.is_first_page);
	list_is("17", "page/2");
	assert_int_equal(reflector_on_end(&r, 200, NULL, 0, now),
			 REFLECTOR_WENT_ON);
	assert_false(r.is_complete);
	EXPECT_LIST("limit=500&continue=page%2F2");
	assert_false(r.is_first_page);
	listed("17");
	EXPECT_WATCH("17");
}

static void a_page_that_breaks_off_begins_the_list_anew(void **state)
{
	begin_of(&slices);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(later(), REFLECTOR_LIST);
		ends(200, "it ends in the middle");
	}
	EXPECT_LIST("limit=500");
	list_is("17", "page2");
	reflector_on_end(&r, 200, NULL, 0, now);
	EXPECT_LIST("limit=500&continue=page2");
	assert_int_equal(ends(0, "reset"), REFLECTOR_FAILED);
	EXPECT_LIST("limit=500");
	assert_true(r.is_first_page);
	list_is("17", "page2");
	reflector_on_end(&r, 200, NULL, 0, now);
	EXPECT_LIST("limit=500&continue=page2");
	/* the mark has expired */
	assert_int_equal(ends(410, NULL), REFLECTOR_FAILED);
	EXPECT_LIST("resourceVersion=");
	assert_true(r.is_first_page);
}

static void an_answer_that_is_no_list_is_none(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	assert_int_equal(ends(200, NULL), REFLECTOR_FAILED);
	assert_string_equal(r.failure, "slices: the answer is no list");
	assert_false(r.is_complete);
}

static void too_many_requests_come_later(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	reflector_on_status(&r, 429, now);
	assert_int_equal(reflector_on_end(&r, 429, NULL, 7, now),
			 REFLECTOR_FAILED);
	next();
	assert_in_range(wait_ms, 7 * SECOND, 7 * SECOND + 500);
	now += wait_ms;
	/* a server that has gone mad */
	assert_int_equal(next(), REFLECTOR_LIST);
	reflector_on_status(&r, 429, now);
	reflector_on_end(&r, 429, NULL, 1000000, now);
	next();
	assert_in_range(wait_ms, 0, 61 * SECOND);
}

static void new_credentials_are_tried_at_once(void **state)
{
	begin_of(&slices);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(later(), REFLECTOR_LIST);
		ends(401, NULL);
	}
	assert_int_equal(next(), REFLECTOR_NOTHING);
	reflector_hurry(&r);
	assert_int_equal(next(), REFLECTOR_LIST);
}

static void a_server_that_never_answers(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	now += 29 * SECOND;
	assert_null(reflector_overdue(&r, now));
	now += 1 * SECOND;
	assert_string_equal(reflector_overdue(&r, now),
			    "the server does not answer");
}

static void a_list_that_drips(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	reflector_on_status(&r, 200, now);
	for (int i = 0; i < 30; i++) {
		assert_null(reflector_overdue(&r, now));
		now += SECOND;
		reflector_on_bytes(&r, 1, false, now);
	}
	assert_non_null(reflector_overdue(&r, now));
}

static void a_slow_list_that_goes_on(void **state)
{
	begin_of(&slices);
	assert_int_equal(next(), REFLECTOR_LIST);
	reflector_on_status(&r, 200, now);
	for (int i = 0; i < 9 * 60; i++) {
		assert_null(reflector_overdue(&r, now));
		now += SECOND;
		reflector_on_bytes(&r, 1000, false, now);
	}
	now += 2 * MINUTE;
	assert_string_equal(reflector_overdue(&r, now),
			    "the list does not come to an end");
}

static void a_watch_may_be_silent_but_not_within_an_event(void **state)
{
	watching_from("17");
	reflector_on_status(&r, 200, now);
	now += 4 * MINUTE;
	assert_null(reflector_overdue(&r, now));
	reflector_on_bytes(&r, 10, false, now);
	now += 20 * SECOND;
	reflector_on_bytes(&r, 1, false, now);
	assert_null(reflector_overdue(&r, now));
	now += 11 * SECOND;
	assert_string_equal(reflector_overdue(&r, now),
			    "the server stopped in the middle of an event");
	reflector_on_bytes(&r, 1, true, now);
	assert_null(reflector_overdue(&r, now));
}

static void a_watch_that_does_not_end(void **state)
{
	watching_from("17");
	reflector_on_status(&r, 200, now);
	now += 11 * MINUTE;
	assert_non_null(reflector_overdue(&r, now));
	assert_int_equal(ends(200, "overdue"), REFLECTOR_FAILED);
	EXPECT_WATCH("17");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_a_list_from_memory_then_a_watch),
		cmocka_unit_test(a_watch_lasts_five_to_ten_minutes),
		cmocka_unit_test(a_watch_that_ends_goes_on_from_the_last_event),
		cmocka_unit_test(a_watch_that_breaks_off_goes_on_after_a_moment),
		cmocka_unit_test(an_event_says_that_all_is_well),
		cmocka_unit_test(one_that_breaks_off_each_time_is_not_well),
		cmocka_unit_test(a_version_is_escaped),
		cmocka_unit_test(a_version_that_is_none_is_refused),
		cmocka_unit_test(waits_grow_up_to_a_limit_and_differ),
		cmocka_unit_test(two_reflectors_do_not_come_back_at_once),
		cmocka_unit_test(an_expired_watch_is_listed_anew_at_once),
		cmocka_unit_test(gone_as_a_status_is_the_same),
		cmocka_unit_test(a_list_that_is_gone_is_taken_from_the_database),
		cmocka_unit_test(expiry_without_end_is_not_asked_without_end),
		cmocka_unit_test(a_version_that_is_not_reached_yet),
		cmocka_unit_test(a_watch_ahead_of_the_server_is_listed_anew),
		cmocka_unit_test(another_error_event_is_watched_again_thrice),
		cmocka_unit_test(a_server_that_is_away_costs_no_new_list),
		cmocka_unit_test(watches_that_end_at_once_are_not_asked_without_end),
		cmocka_unit_test(a_selector_that_is_refused_is_left_out),
		cmocka_unit_test(one_that_must_not_be_left_out_is_not),
		cmocka_unit_test(an_older_version_of_the_api_is_found),
		cmocka_unit_test(and_the_newer_one_after_the_servers_upgrade),
		cmocka_unit_test(a_kind_that_no_version_has),
		cmocka_unit_test(a_kind_that_need_not_be_there),
		cmocka_unit_test(one_that_is_forbidden_is_said),
		cmocka_unit_test(lists_that_break_off_are_asked_for_in_pages),
		cmocka_unit_test(a_page_that_breaks_off_begins_the_list_anew),
		cmocka_unit_test(an_answer_that_is_no_list_is_none),
		cmocka_unit_test(too_many_requests_come_later),
		cmocka_unit_test(new_credentials_are_tried_at_once),
		cmocka_unit_test(a_server_that_never_answers),
		cmocka_unit_test(a_list_that_drips),
		cmocka_unit_test(a_slow_list_that_goes_on),
		cmocka_unit_test(a_watch_may_be_silent_but_not_within_an_event),
		cmocka_unit_test(a_watch_that_does_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
