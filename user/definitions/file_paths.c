// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The definitions in a directory, by the endings of their names. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "files_private.h"

void paths_clear(struct paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->list[i]);
	free(p->list);
}

static bool is_definition(const char *name)
{
	static const char *const endings[] = { ".yaml", ".yml", ".json" };
	size_t len = strlen(name);

	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t end = strlen(endings[i]);

		if (len > end && !strcmp(name + len - end, endings[i]))
			return true;
	}
	return false;
}

static int paths_add(struct paths *p, const char *dir, const char *name)
{
	if (!(p->count & (p->count - 1))) {
		size_t room = p->count ? 2 * p->count : 1;
		char **larger = realloc(p->list, room * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		p->list = larger;
	}
	if (asprintf(&p->list[p->count], "%s/%s", dir, name) < 0)
		return -ENOMEM;
	p->count++;
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_dirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int paths_list(const struct reading *all, struct paths *p)
{
	__cleanup(close_dirp) DIR *dir = opendir(all->s->path);
	int err = 0;

	if (!dir)
		return file_report(all->r, all->s->path, -errno);
	while (!err) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (!is_definition(entry->d_name))
			continue;
		if (p->count == SOURCE_FILES_MAX) {
			report_error(all->r, all->s->path, 0, 0,
				     "has more than %u files, the most that are read",
				     SOURCE_FILES_MAX);
			return -EINVAL;
		}
		err = paths_add(p, all->s->path, entry->d_name);
	}
	if (err)
		return err;
	if (errno)
		return file_report(all->r, all->s->path, -errno);
	if (p->count)
		qsort(p->list, p->count, sizeof(*p->list), compare_paths);
	return 0;
}
