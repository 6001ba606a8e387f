/*
 * held_dir.c - A directory under one number, whatever becomes of it
 */
#include "held_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int held_dir_new(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool held_dir_look(int dir_fd, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = dup3(fd, dir_fd, O_CLOEXEC) >= 0;
	close(fd);
	return ok;
}

bool held_dir_has(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink;
}
