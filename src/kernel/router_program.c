/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose a socket is: the kernel knows only its inode, so all descriptors of all
 * processes are looked at. Of others' processes only root may.
 */
#include "router_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/text.h"

/* A machine with more is served without the rest of the names. */
enum { DESCRIPTORS_MAX = 256 * 1024 };

struct search {
	struct router *router;
	struct router_socket **sockets;		/* those to be named, by inode */
	size_t count;
	unsigned looked_at;
	char comm[64];				/* of the process at hand */
};

static int by_inode(const void *a, const void *b)
{
	const struct router_socket *const *left = a, *const *right = b;

	return ((*left)->inode > (*right)->inode) - ((*left)->inode < (*right)->inode);
}

static bool is_number(const char *name)
{
	return name[strspn(name, "0123456789")] == '\0';
}

/* One process may have several of an inode, and several processes share one. */
static void name_inode(struct search *search, uint32_t inode)
{
	size_t low = 0, high = search->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->sockets[middle]->inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < search->count && search->sockets[low]->inode == inode; low++) {
		struct router_socket *socket = search->sockets[low];

		if (!socket->program[0])
			text_escape(socket->program, sizeof(socket->program), search->comm,
				    strlen(search->comm));
	}
}

static void read_comm(struct search *search, const char *process)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/comm", process);
	if (!router_read_file(path, search->comm, sizeof(search->comm)))
		search->comm[0] = '\0';
	search->comm[strcspn(search->comm, "\n")] = '\0';
}

static void look_at_process(struct search *search, const char *process)
{
	char path[64], target[64];
	struct dirent *entry;
	unsigned inode;
	ssize_t length;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", process);
	directory = opendir(path);
	if (!directory)
		return;
	read_comm(search, process);
	while (search->looked_at++ < DESCRIPTORS_MAX && (entry = readdir(directory))) {
		length = readlinkat(dirfd(directory), entry->d_name, target,
				    sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		if (sscanf(target, "socket:[%u]", &inode) == 1)
			name_inode(search, inode);
	}
	closedir(directory);
}

static void look_at_all(struct search *search)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;

	if (!directory)
		return;
	while (search->looked_at < DESCRIPTORS_MAX && (entry = readdir(directory))) {
		if (is_number(entry->d_name))
			look_at_process(search, entry->d_name);
	}
	closedir(directory);
}

void router_name_sockets(struct router *router)
{
	struct search search = { .router = router };

	search.sockets = calloc(router->socket_count + 1, sizeof(*search.sockets));
	if (!search.sockets)
		return;
	for (size_t i = 0; i < router->socket_count; i++) {
		if (router->sockets[i].inode)
			search.sockets[search.count++] = &router->sockets[i];
	}
	if (search.count > 0) {
		qsort(search.sockets, search.count, sizeof(struct router_socket *),
		      by_inode);
		look_at_all(&search);
	}
	free(search.sockets);
}
