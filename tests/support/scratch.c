#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/unit.h"

int
scratch_make(void **state)
{
	const char *parent = getenv("TMPDIR");
	char *folder = malloc(SCRATCH_PATH_BYTES);

	if (folder == NULL)
		return -1;
	(void)snprintf(folder, SCRATCH_PATH_BYTES, "%.200s/counterfoil-unit-XXXXXX", parent != NULL ? parent : "/tmp");
	*state = folder;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

int
scratch_remove(void **state)
{
	int failed = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	*state = NULL;
	return failed;
}

void
scratch_path(const char *folder, const char *name, char *out)
{
	int n = snprintf(out, SCRATCH_PATH_BYTES, "%s/%s", folder, name);

	assert_in_range(n, 1, SCRATCH_PATH_BYTES - 1);
}

void
scratch_write(const char *folder, const char *name, mode_t mode, struct bytes content, char *out)
{
	FILE *file;

	scratch_path(folder, name, out);
	(void)unlink(out);
	file = fopen(out, "wxe");
	assert_non_null(file);
	if (content.len > 0)
		assert_int_equal(fwrite(content.data, 1, content.len, file), content.len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(out, mode), 0);
}

char *
scratch_read(const char *path, size_t *out_len)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	char *text;

	assert_non_null(file);
	assert_int_equal(stat(path, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	*out_len = fread(text, 1, (size_t)st.st_size, file);
	(void)fclose(file);
	return text;
}
