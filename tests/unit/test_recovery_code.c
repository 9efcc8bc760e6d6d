/* test_recovery_code.c: codes that people keep on paper and type as they like. */
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>

#include "core/credential/recovery_code.h"
#include "tests/support/failing.h"

static const uint8_t known_raw[RECOVERY_CODE_RAW_BYTES] = "Hello!\xde\xad\xbe\xef" "abcde";
#define KNOWN "JBSW-Y3DP-EHPK-3PXP-MFRG-GZDF"

static void
a_code_is_six_groups_of_four_characters(void **state)
{
	char text[RECOVERY_CODE_TEXT_BYTES];

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(recovery_code_generate(text), STATUS_OK);
		assert_int_equal(strlen(text), 29);
		for (size_t k = 0; k < 29; k++) {
			if (k % 5 == 4)
				assert_int_equal(text[k], '-');
			else
				assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", text[k]));
		}
	}
}

static void
a_code_is_120_random_bits_r045(void **state)
{
	uint8_t seen[RECOVERY_CODE_RAW_BYTES] = { 0 }, raw[RECOVERY_CODE_RAW_BYTES];
	char text[RECOVERY_CODE_TEXT_BYTES], last[RECOVERY_CODE_TEXT_BYTES] = "";

	(void)state;
	assert_int_equal(RECOVERY_CODE_RAW_BYTES * 8, 120);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(recovery_code_generate(text), STATUS_OK);
		assert_string_not_equal(text, last);
		memcpy(last, text, sizeof last);
		assert_int_equal(recovery_code_parse(text, raw), STATUS_OK);
		for (size_t k = 0; k < sizeof raw; k++)
			seen[k] |= raw[k];
	}
	assert_null(memchr(seen, 0, sizeof seen));
}

static void
case_dashes_and_spaces_do_not_matter_r045(void **state)
{
	static const char *const typed[] = { KNOWN, "jbsw-y3dp-ehpk-3pxp-mfrg-gzdf", "JBSWY3DPEHPK3PXPMFRGGZDF",
		" jBsW Y3Dp eHpK 3PxP mFrG gZdF ", "--JBSWY3DP--EHPK3PXP-MFRGGZDF--", "J B S W Y 3 D P E H P K 3 P X P M F R G G Z D F" };
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
		memset(raw, 0, sizeof raw);
		assert_int_equal(recovery_code_parse(typed[i], raw), STATUS_OK);
		assert_memory_equal(raw, known_raw, sizeof raw);
		assert_true(recovery_code_is_code(typed[i]));
	}
}

static void
anything_but_24_base32_characters_is_refused(void **state)
{
	static const char *const bad[] = { "", "-", "287082", "JBSW-Y3DP-EHPK-3PXP-MFRG-GZD", "JBSW-Y3DP-EHPK-3PXP-MFRG-GZDFA",
		"JBSW-Y3DP-EHPK-3PXP-MFRG-GZD0", "JBSW-Y3DP-EHPK-3PXP-MFRG-GZD1", "JBSW-Y3DP-EHPK-3PXP-MFRG-GZD8",
		"JBSW-Y3DP-EHPK-3PXP-MFRG-GZD=", "JBSW_Y3DP_EHPK_3PXP_MFRG_GZDF", "JBSW-Y3DP-EHPK-3PXP-MFRG-GZD\xc3",
		"JBSW\nY3DP\nEHPK\n3PXP\nMFRG\nGZDF" };
	uint8_t raw[RECOVERY_CODE_RAW_BYTES];

	(void)state;
	assert_int_equal(recovery_code_parse(NULL, raw), STATUS_INVALID);
	assert_false(recovery_code_is_code(NULL));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(recovery_code_parse(bad[i], raw), STATUS_INVALID);
		assert_false(recovery_code_is_code(bad[i]));
	}
}

static void
without_entropy_there_is_no_code(void **state)
{
	char text[RECOVERY_CODE_TEXT_BYTES] = "untouched";

	(void)state;
	failing_at(FAILING_ENTROPY, 1, EIO);
	assert_int_equal(recovery_code_generate(text), STATUS_INTERNAL);
	assert_string_equal(text, "untouched");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_is_six_groups_of_four_characters),
		cmocka_unit_test(a_code_is_120_random_bits_r045),
		cmocka_unit_test(case_dashes_and_spaces_do_not_matter_r045),
		cmocka_unit_test(anything_but_24_base32_characters_is_refused),
		cmocka_unit_test_teardown(without_entropy_there_is_no_code, failing_stop),
	};

	return cmocka_run_group_tests_name("recovery_code", tests, NULL, NULL);
}
