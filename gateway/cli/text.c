#include "gateway/cli/text.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

/* The length of a UTF-8 sequence that a terminal obeys instead of showing it: C1 controls, and what turns the direction of the
 * line or breaks it (U+2028 to U+202E, U+2066 to U+2069), by which a text can pass for another one. 0 = none. */
static size_t invisible(const unsigned char *s)
{
	if (s[0] == 0xC2 && s[1] >= 0x80 && s[1] <= 0x9F)
		return 2;
	if (s[0] != 0xE2)
		return 0;
	bool turns = (s[1] == 0x80 && s[2] >= 0xA8 && s[2] <= 0xAE) || (s[1] == 0x81 && s[2] >= 0xA6 && s[2] <= 0xA9);
	return turns ? 3 : 0;
}

void text_clean(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		unsigned char c = (unsigned char)*from;
		size_t skip = invisible((const unsigned char *)from);
		if (skip > 0)
			from += skip - 1;
		*to++ = skip > 0 || (c < 0x20 && c != '\n') || c == 0x7F ? '?' : *from;
	}
	*to = '\0';
}

/* The code point at `text`, of valid UTF-8 up to its NUL; its bytes in *ret_len. */
static uint32_t code_point(const char *text, size_t *ret_len)
{
	unsigned char first = (unsigned char)*text;
	size_t len = 1;
	uint32_t c = first < 0x80 ? first : first & (first < 0xE0 ? 0x1F : first < 0xF0 ? 0x0F : 0x07);

	for (; ((unsigned char)text[len] & 0xC0) == 0x80; len++)
		c = c << 6 | ((unsigned char)text[len] & 0x3F);
	*ret_len = len;
	return c;
}

/* Two of what is wide, none of what stands over another. The tables are those of a locale, whatever the user's is. */
static size_t columns_at(const char *text, size_t *ret_len)
{
	static locale_t utf8;
	uint32_t c = code_point(text, ret_len);

	if (c < 0x80)
		return 1;
	if (utf8 == NULL)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (utf8 == NULL)
		return 1;
	locale_t before = uselocale(utf8);
	int columns = wcwidth((wchar_t)c);
	(void)uselocale(before);
	return columns >= 0 ? (size_t)columns : 1;
}

static size_t columns_of(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0, n; i < len; i += n)
		columns += columns_at(text + i, &n);
	return columns;
}

size_t text_width(const char *text)
{
	return columns_of(text, strlen(text));
}

size_t text_fit(const char *text, size_t columns)
{
	size_t len = 0, used = 0, n;

	while (text[len] != '\0') {
		used += columns_at(text + len, &n);
		if (used > columns)
			break;
		len += n;
	}
	return len;
}

void text_bar(double fraction, size_t width, char *buf)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	double clipped = fraction > 1 ? 1 : fraction > 0 ? fraction : 0;
	size_t units = (size_t)lround(clipped * (double)width * 8);
	char *to = buf;

	if (clipped > 0 && units == 0)
		units = 1;
	for (size_t i = 0; i < units / 8; i++)
		to = stpcpy(to, "█");
	stpcpy(to, eighths[units % 8]);
}

void text_sparkline(const double *values, size_t count, char *buf)
{
	static const char *const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double top = 0;
	char *to = buf;

	for (size_t i = 0; i < count; i++)
		top = values[i] > top ? values[i] : top;
	for (size_t i = 0; i < count; i++) {
		if (!(values[i] > 0)) {
			to = stpcpy(to, " ");
			continue;
		}
		size_t height = (size_t)ceil(values[i] / top * 8);
		to = stpcpy(to, heights[height > 8 ? 7 : height - 1]);
	}
	*to = '\0';
}

/* How many columns may not be torn apart: a word, and the unit of a number with it ("40 %", "7 min);"). */
static size_t unbroken(const char *word, size_t len)
{
	enum { UNIT_MAX = 3 };
	const char *unit = word + len + strspn(word + len, " \n");
	size_t columns = columns_of(word, len), unit_columns = columns_of(unit, strcspn(unit, " \n.,;:)"));
	bool number = len > 0 && word[len - 1] >= '0' && word[len - 1] <= '9';

	return number && unit_columns > 0 && unit_columns <= UNIT_MAX ? columns + 1 + columns_of(unit, strcspn(unit, " \n"))
	                                                              : columns;
}

void text_wrap(FILE *to, const char *text, size_t indent, size_t width)
{
	enum { NARROWEST = 16 };
	size_t room = width > indent + NARROWEST ? width - indent : width > 0 ? NARROWEST : SIZE_MAX, used = 0;

	for (const char *word = text; *word != '\0';) {
		size_t len = strcspn(word, " \n");
		if (used > 0 && used + 1 + unbroken(word, len) > room) {
			(void)fprintf(to, "\n%*s", (int)indent, "");
			used = 0;
		}
		(void)fprintf(to, "%s%.*s", used > 0 ? " " : "", (int)len, word);
		used += columns_of(word, len) + (used > 0);
		word += len;
		word += strspn(word, " \n");
	}
}

const char *text_colour(const char *word)
{
	static const struct {
		const char *word, *sequence;
	} colours[] = {
	    {"ok", "\033[32m"},
	    {"online", "\033[32m"},
	    {"completed", "\033[32m"},
	    {"running", "\033[36m"},
	    {"attention", "\033[33m"},
	    {"interrupted", "\033[33m"},
	    {"offline", "\033[31m"},
	    {"critical", "\033[31m"},
	    {"latch", "\033[31m"},
	    {"fault_stopped", "\033[31m"},
	    {"safety_stopped", "\033[31m"},
	    {"stop", "\033[33m"},
	    {"problem", "\033[31m"},
	    {"clean", "\033[32m"},
	    {"warn", "\033[33m"},
	    {"act", "\033[31m"},
	    {"derate", "\033[33m"},
	    {"active", "\033[31m"},
	    {"cleared", "\033[32m"},
	    {"due", "\033[31m"},
	};
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i].word, word) == 0)
			return colours[i].sequence;
	return "";
}
