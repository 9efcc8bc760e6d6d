# common_passwords.awk: the lines of the default blocklist, out of word lists.
#
#   awk -f common_passwords.awk WORDLIST... passwords=1 PASSWORDLIST...
#
# A word list gives its words.  A password list gives each password, and what people make of it when a rule asks for more
# characters: doubled, tripled, with a number, a year or a mark behind it.  What needs no list comes last: one character over
# and over, and runs along the keyboard and the alphabet.

BEGIN {
	for (i = 0; i < 10; i++)
		endings[++ending_count] = i
	for (i = 0; i < 100; i++)
		endings[++ending_count] = sprintf("%02d", i)
	for (i = 1950; i <= 2030; i++) {
		endings[++ending_count] = i
		endings[++ending_count] = i "!"
	}
	ending_count += split_behind("123 1234 12345 123456 1234567 12345678 123456789 1234567890 111 321 007 666 777 " \
	    "! !! !!! !1 !123 1! 12! 123! 1234! . ? @ # $ @1 @123 #1 _1 _123 -1 abc 123abc abc123")
}

function split_behind(text,    parts, n, i) {
	n = split(text, parts, " ")
	for (i = 1; i <= n; i++)
		endings[ending_count + i] = parts[i]
	return n
}

/^#!comment/ { next }

passwords != 1 { print; next }

{
	print
	print $0 $0
	print $0 $0 $0
	for (i = 1; i <= ending_count; i++)
		print $0 endings[i]
}

# Every part of TEXT, repeated without end, from 8 to 40 characters.
function runs(text,    whole, from, len) {
	whole = text
	while (length(whole) < length(text) + 40)
		whole = whole text
	for (from = 1; from <= length(text); from++)
		for (len = 8; len <= 40; len++)
			print substr(whole, from, len)
}

END {
	for (i = 32; i < 127; i++)
		runs(sprintf("%c", i))
	runs("1234567890"); runs("0987654321"); runs("12345678"); runs("123456"); runs("12345"); runs("1234"); runs("123")
	runs("123456789"); runs("987654321"); runs("12"); runs("abc"); runs("abc123"); runs("123abc"); runs("qwe123")
	runs("abcdefghijklmnopqrstuvwxyz"); runs("zyxwvutsrqponmlkjihgfedcba"); runs("abcd1234"); runs("a1b2c3d4e5f6g7h8")
	runs("qwertyuiop"); runs("asdfghjkl"); runs("zxcvbnm"); runs("qwertyuiopasdfghjklzxcvbnm"); runs("qwerty123456")
	runs("qwertzuiop"); runs("azertyuiop"); runs("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p"); runs("qazwsxedcrfvtgbyhnujmikolp")
	runs("1q2w3e4r5t6y7u8i9o0p"); runs("q1w2e3r4t5y6u7i8o9p0"); runs("!@#$%^&*()"); runs("asdf"); runs("qwer"); runs("qwerty")
	runs("poiuytrewq"); runs("lkjhgfdsa"); runs("mnbvcxz")
}
