// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lists of who may use a service. Services that say the same share one. A list
 * is whole before an entry names it and never changes: another definition is
 * another list, and what nothing names goes after the grace period. What is in
 * the map says everything, so that a restart needs no more than to read it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "books.h"

int admission_compare(const struct model_source *a,
		      const struct model_source *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (int)a->len - b->len;
}

static bool is_same(const struct admission_book *book,
		    const struct model_source *sources, size_t count)
{
	if (book->nr_sources != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (admission_compare(&book->sources[i], &sources[i]) ||
		    book->sources[i].allow != sources[i].allow)
			return false;
	return true;
}

__u64 admission_digest(const struct model_source *sources, size_t count)
{
	__u64 digest = count, words[2];

	for (size_t i = 0; i < count; i++) {
		memcpy(words, &sources[i].addr, sizeof(words));
		digest = hash_mix(digest ^ words[0]);
		digest = hash_mix(digest + words[1]);
		digest = hash_mix(digest + 2 * sources[i].len +
				  sources[i].allow);
	}
	return count ? digest | 1 : 0;	/* its last bit is of no weight */
}

static __u32 *bucket_of(struct state *s, __u64 digest)
{
	return &s->admission_buckets[(digest >> 1) % ADMISSION_BUCKETS];
}

static __u32 list_find(struct state *s, __u64 digest,
		       const struct model_source *sources, size_t count)
{
	__u32 id = *bucket_of(s, digest);

	while (id && (s->admissions[id].digest != digest ||
		      !is_same(&s->admissions[id], sources, count)))
		id = s->admissions[id].next;
	return id;
}

static void list_link(struct state *s, __u32 id)
{
	__u32 *bucket = bucket_of(s, s->admissions[id].digest);

	s->admissions[id].next = *bucket;
	*bucket = id;
}

static void list_unlink(struct state *s, __u32 id)
{
	__u32 *at = bucket_of(s, s->admissions[id].digest);

	while (*at && *at != id)
		at = &s->admissions[*at].next;
	if (*at)
		*at = s->admissions[id].next;
}

/* Books for the lists up to id. */
static int lists_reserve(struct state *s, __u32 id)
{
	__u32 want = s->max_lists ? s->max_lists : 16;
	struct admission_book *books;

	if (id < s->max_lists)
		return 0;
	while (want <= id)
		want *= 2;
	books = realloc(s->admissions, want * sizeof(*books));
	if (!books)
		return -ENOMEM;
	memset(books + s->max_lists, 0,
	       (want - s->max_lists) * sizeof(*books));
	s->admissions = books;
	s->max_lists = want;
	return 0;
}

/* An id that nothing has, with its book; 0: no memory. */
static __u32 list_take(struct state *s)
{
	__u32 id = s->free_list ? s->free_list : s->nr_lists;

	if (lists_reserve(s, id))
		return 0;
	if (s->free_list)
		s->free_list = s->admissions[id].next;
	else
		s->nr_lists++;
	s->admissions[id] = (struct admission_book){};
	return id;
}

static void list_give(struct state *s, __u32 id)
{
	struct admission_book *book = &s->admissions[id];

	s->nr_admission_entries -= book->nr_sources + 1;
	free(book->sources);
	*book = (struct admission_book){ .next = s->free_list };
	s->free_list = id;
}

int admission_plan(struct state *s, const struct model_source *sources,
		 size_t count, __u32 *ret)
{
	__u64 digest = admission_digest(sources, count);
	size_t bytes = count * sizeof(*sources);
	struct admission_book *book;
	__u32 id;

	*ret = 0;
	if (!count)
		return 0;
	id = list_find(s, digest, sources, count);
	if (!id) {
		id = list_take(s);
		if (!id)
			return -ENOMEM;
		book = &s->admissions[id];
		s->nr_admission_entries++;
		book->sources = malloc(bytes);
		if (!book->sources) {
			list_give(s, id);
			return -ENOMEM;
		}
		memcpy(book->sources, sources, bytes);
		book->nr_sources = count;
		s->nr_admission_entries += count;
		book->digest = digest;
		list_link(s, id);
	}
	s->admissions[id].holders++;
	*ret = id;
	return 0;
}

void admission_hold(struct state *s, __u32 id)
{
	if (id)
		s->admissions[id].holders++;
}

void admission_drop(struct state *s, __u32 id, __u32 now_s)
{
	struct admission_book *book = &s->admissions[id];

	if (!id || --book->holders)
		return;
	list_unlink(s, id);
	if (book->is_written)
		retire(s, RETIRED_ADMISSION, id, 0, now_s);
	else
		list_give(s, id);
}

static struct source_key key_of(__u32 id, const struct model_source *source)
{
	return (struct source_key){
		.len = SOURCE_LIST_BITS + source->len,
		.list = id,
		.addr = source->addr,
	};
}

/* The key of clients that no prefix has; also that of ::/0, if it is named. */
static struct source_key key_of_others(__u32 id)
{
	return (struct source_key){ .len = SOURCE_LIST_BITS, .list = id };
}

/* ::/0 has the place of those that no prefix has: there are none. */
static bool names_everybody(const struct admission_book *book)
{
	return book->nr_sources && !book->sources[0].len;
}

/* Those that are not named may come if nobody has to be named for it. */
static __u32 flags_of_others(const struct admission_book *book)
{
	for (__u32 i = 0; i < book->nr_sources; i++)
		if (book->sources[i].allow)
			return SOURCE_OTHERS;
	return SOURCE_OTHERS | SOURCE_ALLOW;
}

/* What is not there need not go. */
static void list_erase(struct state *s, __u32 id)
{
	const struct admission_book *book = &s->admissions[id];
	struct source_key key = key_of_others(id);

	s->t->entry_del(s->t, TABLE_sources, &key);
	for (__u32 i = 0; i < book->nr_sources; i++) {
		key = key_of(id, &book->sources[i]);
		s->t->entry_del(s->t, TABLE_sources, &key);
	}
}

int admission_write(struct state *s, __u32 id)
{
	struct admission_book *book = &s->admissions[id];
	struct source_key key = key_of_others(id);
	__u32 flags = flags_of_others(book);
	int ret;

	if (!id || book->is_written)
		return 0;
	ret = s->t->entry_set(s->t, TABLE_sources, &key, &flags);
	for (__u32 i = 0; i < book->nr_sources && !ret; i++) {
		key = key_of(id, &book->sources[i]);
		flags = book->sources[i].allow ? SOURCE_ALLOW : 0;
		ret = s->t->entry_set(s->t, TABLE_sources, &key, &flags);
	}
	if (ret)
		list_erase(s, id); /* no packet has seen any of it */
	else
		book->is_written = true;
	return ret;
}

void admission_give_back(struct state *s, __u32 id)
{
	list_erase(s, id);
	list_give(s, id);
}

/* What the map holds, while it is being read. */
struct source_read {
	struct source_key key;
	__u32 flags;
};

struct admission_read {
	struct source_read *list;
	size_t count, max;
};

static void read_clear(struct admission_read *r)
{
	free(r->list);
}

static int read_one(void *arg, const void *key, const void *value)
{
	const struct source_key *k = key;
	const __u32 *flags = value;
	struct admission_read *r = arg;

	if (!list_room(&r->list, r->count + 1, &r->max, sizeof(*r->list)))
		return -ENOMEM;
	r->list[r->count++] = (struct source_read){ *k, *flags };
	return 0;
}

/* By list, and then in the order of a model's sources. */
static int compare_read(const void *a, const void *b)
{
	const struct source_read *x = a, *y = b;
	int order;

	if (x->key.list != y->key.list)
		return x->key.list < y->key.list ? -1 : 1;
	order = addr_compare(&x->key.addr, &y->key.addr);
	return order ? order : x->key.len < y->key.len ? -1 :
			       x->key.len > y->key.len;
}

static int read_name(struct state *s, __u32 id)
{
	if (!id)
		return 0;
	if (lists_reserve(s, id))
		return -ENOMEM;
	if (id >= s->nr_lists)
		s->nr_lists = id + 1;
	s->admissions[id].is_written = true;
	s->admissions[id].holders++;
	return 0;
}

/* The lists that services name: books of them, with nothing in them yet. */
static int read_names(struct state *s)
{
	const struct service_book *book;
	int ret = 0;

	for (size_t i = 0; i < s->nr_order; i++) {
		book = &s->books[s->order[i]];
		for (__u32 j = 0; j < book->nr_entries && !ret; j++)
			ret = read_name(s, s->t->services[book->entries[j]]
						   .sources);
	}
	return ret;
}

static bool is_of_a_list(const struct state *s, const struct source_key *key)
{
	return key->len >= SOURCE_LIST_BITS && key->list < s->nr_lists &&
	       s->admissions[key->list].holders;
}

static bool is_of_others(const struct source_read *r)
{
	return r->key.len == SOURCE_LIST_BITS && r->flags & SOURCE_OTHERS;
}

/*
 * Sort out what is of no list in force: it was being written, or given up,
 * when the process that did it ended. A view may have read an entry twice, if
 * others went meanwhile.
 */
static void read_sort(struct state *s, struct admission_read *r)
{
	size_t nr = 0;

	if (!r->count)
		return;
	qsort(r->list, r->count, sizeof(*r->list), compare_read);
	for (size_t i = 0; i < r->count; i++) {
		if (!is_of_a_list(s, &r->list[i].key))
			s->t->entry_del(s->t, TABLE_sources,
					&r->list[i].key);
		else if (!nr || compare_read(&r->list[nr - 1], &r->list[i]))
			r->list[nr++] = r->list[i];
	}
	r->count = nr;
}

/* Entries of one list, into its book; found by others if it is whole. */
static int read_list(struct state *s, const struct source_read *r,
		     size_t count)
{
	struct admission_book *book = &s->admissions[r->key.list];
	__u32 id = r->key.list, others = 0, flags = 0;

	book->sources = calloc(count, sizeof(*book->sources));
	if (!book->sources)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++, r++) {
		if (is_of_others(r)) {
			others = r->flags;
			continue;
		}
		flags |= r->flags;
		book->sources[book->nr_sources++] = (struct model_source){
			.addr = r->key.addr,
			.len = r->key.len - SOURCE_LIST_BITS,
			.allow = r->flags & SOURCE_ALLOW,
		};
	}
	if (flags & ~SOURCE_ALLOW || (others != flags_of_others(book) &&
				      !names_everybody(book)))
		return 0;
	book->digest = admission_digest(book->sources, book->nr_sources);
	list_link(s, id);
	return 0;
}

static int read_lists(struct state *s, const struct admission_read *r)
{
	size_t at = 0, end;
	int ret = 0;

	for (; at < r->count && !ret; at = end) {
		for (end = at + 1; end < r->count; end++)
			if (r->list[end].key.list != r->list[at].key.list)
				break;
		ret = read_list(s, &r->list[at], end - at);
	}
	return ret;
}

int admission_read(struct state *s, unsigned int *ret_dropped)
{
	__cleanup(read_clear) struct admission_read r = {};
	int ret = lists_reserve(s, 0);

	s->nr_lists = 1;
	if (!ret)
		ret = read_names(s);
	if (!ret)
		ret = s->t->entries_each(s->t, TABLE_sources, read_one, &r);
	if (ret)
		return ret;
	read_sort(s, &r);
	ret = read_lists(s, &r);
	for (__u32 id = s->nr_lists; id-- > 1;) {
		s->nr_admission_entries += s->admissions[id].nr_sources + 1;
		if (!s->admissions[id].holders)
			list_give(s, id);
		else
			*ret_dropped += !s->admissions[id].digest;
	}
	return ret;
}

void admission_clear(struct state *s)
{
	for (__u32 id = 1; id < s->nr_lists; id++)
		free(s->admissions[id].sources);
	free(s->admissions);
}
