// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See agent_words.h; HAProxy's configuration manual, "agent-check". */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent_words.h"

#define WORD_MAX 32
#define WEIGHT_MAX 1000		/* percent */

enum meaning { IS_FINE, IS_DRAIN, IS_BAD };

static const struct {
	const char *word;
	enum meaning meaning;
} words[] = {
	{ "up", IS_FINE }, { "ready", IS_FINE }, { "drain", IS_DRAIN },
	{ "maint", IS_BAD }, { "down", IS_BAD }, { "failed", IS_BAD },
	{ "fail", IS_BAD }, { "stopped", IS_BAD },
};

/* While a line is read. */
struct reading {
	enum meaning worst;
	bool has_word, has_weight, is_unknown;
	unsigned int weight;
	char bad[WORD_MAX];	/* the first of those */
};

static bool weight_parse(const char *word, unsigned int *ret)
{
	unsigned int value = 0;

	if (!isdigit((unsigned char)*word))
		return false;
	for (; isdigit((unsigned char)*word); word++) {
		value = value * 10 + *word - '0';
		if (value > WEIGHT_MAX)
			return false;
	}
	*ret = value;
	return !strcmp(word, "%");
}

static void word_seen(struct reading *r, const char *word)
{
	r->has_word = true;
	if (!strncasecmp(word, "maxconn:", 8))
		return;
	if (weight_parse(word, &r->weight)) {
		r->has_weight = true;
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(word, words[i].word))
			continue;
		if (words[i].meaning == IS_BAD && r->worst != IS_BAD)
			strcpy(r->bad, words[i].word);
		if (words[i].meaning > r->worst)
			r->worst = words[i].meaning;
		return;
	}
	r->is_unknown = true;
}

/* Behind "#", or a bad word's ":", it is a reason for people. */
static size_t line_read(struct reading *r, const char *data, size_t len)
{
	char word[WORD_MAX];
	size_t at = 0, word_len;

	for (;;) {
		while (at < len && (strchr(" \t,", data[at]) && data[at]))
			at++;
		if (at == len || data[at] == '#')
			return at + (at < len);
		for (word_len = 0; at < len && data[at] &&
				   !strchr(" \t,#", data[at]); at++) {
			if (data[at] == ':' && (word_len != 7 ||
			    strncasecmp(word, "maxconn", 7)))
				break;
			if (word_len < sizeof(word) - 1)
				word[word_len++] = data[at];
		}
		word[word_len] = '\0';
		word_seen(r, word);
		if (r->is_unknown)
			return at;
		if (at < len && data[at] == ':')
			return at + 1;
	}
}

static void fail(struct probe_result *ret, const char *word, const char *data,
		 size_t len)
{
	while (len && *data == ' ') {
		data++;
		len--;
	}
	if (len)
		probe_fail(ret, "%s: %s", word, probe_why(data, len));
	else
		probe_fail(ret, "%s", word);
}

void agent_words_judge(const char *data, size_t len, struct probe_result *ret)
{
	struct reading r = {};
	size_t at = 0, line = 0;

	while (line < len && data[line] != '\n' && data[line] != '\r')
		line++;
	at = line_read(&r, data, line);
	if (r.is_unknown) {
		probe_fail(ret, "says \"%s\"", probe_why(data, line));
	} else if (!r.has_word) {
		probe_fail(ret, "says nothing");
	} else if (r.worst == IS_BAD) {
		fail(ret, r.bad, data + at, line - at);
	} else {
		*ret = (struct probe_result){ .outcome = PROBE_PASS };
		if (r.worst == IS_DRAIN || (r.has_weight && !r.weight))
			ret->advice = PROBE_ADVICE_DRAIN;
		else if (r.has_weight)
			ret->advice = PROBE_ADVICE_WEIGHT;
		ret->weight = r.has_weight ? r.weight : 0;
	}
}
