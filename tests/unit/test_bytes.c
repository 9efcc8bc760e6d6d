/* test_bytes.c: borrowed views. */
#include "tests/support/unit.h"

#include "core/base/bytes.h"

static void
a_string_is_viewed_without_its_nul(void **state)
{
	const char *text = "abc";
	struct bytes view = bytes_of(text);

	(void)state;
	assert_ptr_equal(view.data, text);
	assert_int_equal(view.len, 3);
}

static void
no_string_is_the_empty_view(void **state)
{
	struct bytes view = bytes_of(NULL);

	(void)state;
	assert_null(view.data);
	assert_int_equal(view.len, 0);
}

static void
views_are_equal_when_content_and_length_are(void **state)
{
	(void)state;
	assert_true(bytes_equal(BYTES("a\0b"), BYTES("a\0b")));
	assert_false(bytes_equal(BYTES("a\0b"), BYTES("a\0c")));
	assert_false(bytes_equal(BYTES("ab"), BYTES("abc")));
	assert_false(bytes_equal(BYTES("abc"), BYTES("ab")));
}

static void
empty_views_are_equal_whatever_they_point_to(void **state)
{
	(void)state;
	assert_true(bytes_equal(bytes_of(NULL), bytes_of("")));
	assert_false(bytes_equal(bytes_of(NULL), bytes_of("a")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_string_is_viewed_without_its_nul),
		cmocka_unit_test(no_string_is_the_empty_view),
		cmocka_unit_test(views_are_equal_when_content_and_length_are),
		cmocka_unit_test(empty_views_are_equal_whatever_they_point_to),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
