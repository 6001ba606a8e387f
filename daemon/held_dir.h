/*
 * held_dir.h - A directory under one number, whatever becomes of it
 *
 * In the sandbox files can be opened for writing in the directories of a few
 * descriptors alone (priv.h). So whoever writes has one from the start, of a
 * directory that may not be there yet. When it was made, or removed and made
 * again, it is opened for reading and put under the same number.
 */
#ifndef TCPHS_HELD_DIR_H
#define TCPHS_HELD_DIR_H

#include <stdbool.h>

/** held_dir_new() - A descriptor; -1 with errno if there is none */
int held_dir_new(void);

/** held_dir_look() - Let @dir_fd be @path as it is now; false with errno */
bool held_dir_look(int dir_fd, const char *path);

/** held_dir_has() - Is @fd open, a file that is still in some directory? */
bool held_dir_has(int fd);

#endif
