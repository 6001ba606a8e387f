/*
 * http_parse.c - An HTTP/1.1 request, byte by byte (RFC 9110, RFC 9112)
 *
 * The head is a machine with one state a place in the grammar: step_line() for
 * the request line, step_field() for field lines, and end_value() when a field
 * that we read is complete. Its name and value are the only text in memory;
 * fields we do not read are checked for illegal characters and dropped.
 *
 * Whatever could make two readers disagree about where a message ends is
 * refused: repeated or contradicting framing, space before a colon, folded
 * lines, a lone CR, sizes that overflow (RFC 9112, 11.2).
 */
#include "service/http_parse.h"

#include <string.h>
#include <strings.h>

#include "core/assert.h"

enum head_state {
	HEAD_START, /* empty lines before the request: RFC 9112, 2.2 */
	HEAD_START_LF,
	HEAD_METHOD,
	HEAD_TARGET,
	HEAD_VERSION,
	HEAD_LINE_LF,
	HEAD_FIELD,
	HEAD_NAME,
	HEAD_OWS,
	HEAD_VALUE,
	HEAD_VALUE_LF,
	HEAD_END_LF,
};

enum body_state {
	BODY_TEXT, /* with Content-Length, or inside a chunk */
	BODY_TEXT_CR,
	BODY_TEXT_LF,
	BODY_SIZE,
	BODY_EXTENSION,
	BODY_SIZE_LF,
	BODY_TRAILER,
	BODY_TRAILER_NAME,
	BODY_TRAILER_VALUE,
	BODY_TRAILER_LF,
	BODY_END_LF,
};

enum head_field {
	FIELD_NONE,
	FIELD_HOST,
	FIELD_LENGTH,
	FIELD_CODING,
	FIELD_CONNECTION,
	FIELD_EXPECT,
	FIELD_ACCEPT,
	FIELD_AGENT,
};

static const struct {
	const char *name;
	enum head_field field;
} fields[] = {
	{"host", FIELD_HOST},
	{"content-length", FIELD_LENGTH},
	{"transfer-encoding", FIELD_CODING},
	{"connection", FIELD_CONNECTION},
	{"expect", FIELD_EXPECT},
	{"accept", FIELD_ACCEPT},
	{"user-agent", FIELD_AGENT},
};

static const struct {
	int status;
	const char *clause, *words;
} faults[] = {
#define HTTP_FAULT_ROW(name, status, clause, words) {status, clause, words},
	HTTP_FAULT_LIST(HTTP_FAULT_ROW)
#undef HTTP_FAULT_ROW
};

typedef enum http_fault head_step(struct http_head *h, uint8_t ch);

static head_step step_line, step_version, step_field, step_value;
static enum http_fault end_line(struct http_head *h);
static enum http_fault end_name(struct http_head *h);
static enum http_fault end_value(struct http_head *h);
static enum http_fault end_head(struct http_head *h);
static enum http_fault take_length(struct http_head *h);
static enum http_fault take_coding(struct http_head *h);
static bool list_has(const char *list, const char *word);
static enum http_fault step_chunk(struct http_body *b, uint8_t ch);
static enum http_fault step_size(struct http_body *b, uint8_t ch);
static enum http_fault step_trailer(struct http_body *b, uint8_t ch);

int http_fault_status(enum http_fault f)
{
	return faults[f].status;
}

const char *http_fault_clause(enum http_fault f)
{
	return faults[f].clause;
}

const char *http_fault_words(enum http_fault f)
{
	return faults[f].words;
}

void http_head_init(struct http_head *h)
{
	memset(h, 0, sizeof(*h));
}

bool http_head_begun(const struct http_head *h)
{
	return h->state > HEAD_START_LF;
}

bool http_head_blank(const struct http_head *h)
{
	return h->state == HEAD_START;
}

size_t http_head_take(struct http_head *h, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n = 0;

	while (n < len && !h->done && h->fault == HTTP_FAULT_NONE) {
		uint8_t ch = p[n++];

		if (h->taken == HTTP_HEAD_MAX)
			h->fault = HTTP_FAULT_HEAD_LONG;
		else if (h->state < HEAD_FIELD)
			h->fault = step_line(h, ch);
		else
			h->fault = step_field(h, ch);
		h->taken += http_head_begun(h);
	}
	return n;
}

void http_body_init(struct http_body *b, const struct http_head *h)
{
	memset(b, 0, sizeof(*b));
	b->chunked = h->chunked;
	b->state = h->chunked ? BODY_SIZE : BODY_TEXT;
	b->left = b->length = h->length;
	b->done = !h->chunked && !h->length;
}

size_t http_body_take(struct http_body *b, const void *data, size_t len,
		      const uint8_t **text, size_t *text_len)
{
	const uint8_t *p = data;
	size_t n = 0;

	*text = p;
	*text_len = 0;
	while (n < len && !b->done && b->fault == HTTP_FAULT_NONE) {
		if (b->state != BODY_TEXT) {
			b->fault = step_chunk(b, p[n++]);
			continue;
		}
		*text = p + n;
		*text_len = len - n < b->left ? len - n : (size_t)b->left;
		b->left -= *text_len;
		if (!b->left) {
			b->state = BODY_TEXT_CR;
			b->done = !b->chunked;
		}
		return n + *text_len;
	}
	return n;
}

/* RFC 9110, 5.6.2 */
static bool is_token(uint8_t ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
	       (ch >= 'a' && ch <= 'z') ||
	       (ch && strchr("!#$%&'*+-.^_`|~", ch));
}

/* RFC 9110, 5.5: field-vchar, space and tab */
static bool is_value(uint8_t ch)
{
	return ch == '\t' || (ch >= ' ' && ch != 0x7f);
}

/* RFC 9112, 3: method SP request-target SP HTTP-version */
static enum http_fault step_line(struct http_head *h, uint8_t ch)
{
	switch ((enum head_state)h->state) {
	case HEAD_START:
		if (ch == '\r') {
			h->state = HEAD_START_LF;
			return HTTP_FAULT_NONE;
		}
		if (ch == '\n')
			return HTTP_FAULT_NONE;
		h->state = HEAD_METHOD;
		/* fall through */
	case HEAD_METHOD:
		if (ch == ' ' && h->method_len) {
			h->state = HEAD_TARGET;
			return HTTP_FAULT_NONE;
		}
		if (!is_token(ch))
			return HTTP_FAULT_METHOD;
		if (h->method_len == HTTP_METHOD_MAX)
			return HTTP_FAULT_METHOD_LONG;
		h->method[h->method_len++] = (char)ch;
		return HTTP_FAULT_NONE;
	case HEAD_START_LF:
		h->state = HEAD_START;
		return ch == '\n' ? HTTP_FAULT_NONE : HTTP_FAULT_BARE_CR;
	case HEAD_TARGET:
		if (ch == ' ' && h->target_len) {
			h->state = HEAD_VERSION;
			return HTTP_FAULT_NONE;
		}
		if (ch == '\n' || ch == '\r')
			return HTTP_FAULT_VERSION; /* HTTP/0.9 */
		if (ch <= ' ' || ch >= 0x7f)
			return HTTP_FAULT_TARGET;
		if (h->target_len == HTTP_TARGET_MAX)
			return HTTP_FAULT_TARGET_LONG;
		h->target[h->target_len++] = (char)ch;
		return HTTP_FAULT_NONE;
	default:
		return step_version(h, ch);
	}
}

/* RFC 9112, 2.3: "HTTP/" DIGIT "." DIGIT, collected in the value */
static enum http_fault step_version(struct http_head *h, uint8_t ch)
{
	static const char form[] = "HTTP/0.0";

	if (h->state == HEAD_LINE_LF)
		return ch == '\n' ? end_line(h) : HTTP_FAULT_BARE_CR;
	if (h->value_len == sizeof(form) - 1) {
		if (ch == '\n')
			return end_line(h);
		h->state = HEAD_LINE_LF;
		return ch == '\r' ? HTTP_FAULT_NONE : HTTP_FAULT_VERSION;
	}
	if (form[h->value_len] == '0' ? ch < '0' || ch > '9'
				      : ch != (uint8_t)form[h->value_len])
		return HTTP_FAULT_VERSION;
	h->value[h->value_len++] = (char)ch;
	return HTTP_FAULT_NONE;
}

static enum http_fault end_line(struct http_head *h)
{
	h->state = HEAD_FIELD;
	if (h->value[5] != '1')
		return HTTP_FAULT_VERSION_MAJOR;
	h->minor = (uint8_t)(h->value[7] - '0');
	return HTTP_FAULT_NONE;
}

/* RFC 9112, 5: field-name ":" OWS field-value OWS */
static enum http_fault step_field(struct http_head *h, uint8_t ch)
{
	switch ((enum head_state)h->state) {
	case HEAD_FIELD:
		if (ch == '\r') {
			h->state = HEAD_END_LF;
			return HTTP_FAULT_NONE;
		}
		if (ch == '\n')
			return end_head(h);
		if (ch == ' ' || ch == '\t')
			return HTTP_FAULT_FOLD;
		h->state = HEAD_NAME;
		h->name_len = 0;
		/* fall through */
	case HEAD_NAME:
		if (ch == ':' && h->name_len)
			return end_name(h);
		if (!is_token(ch))
			return HTTP_FAULT_NAME;
		if (h->name_len < HTTP_NAME_MAX)
			h->name[h->name_len] = (char)ch;
		if (h->name_len <= HTTP_NAME_MAX)
			h->name_len++; /* one more than fits: no name of ours */
		return HTTP_FAULT_NONE;
	case HEAD_END_LF:
		return ch == '\n' ? end_head(h) : HTTP_FAULT_BARE_CR;
	default:
		return step_value(h, ch);
	}
}

static enum http_fault step_value(struct http_head *h, uint8_t ch)
{
	if (h->state == HEAD_VALUE_LF)
		return ch == '\n' ? end_value(h) : HTTP_FAULT_BARE_CR;
	if (ch == '\n')
		return end_value(h);
	if (ch == '\r') {
		h->state = HEAD_VALUE_LF;
		return HTTP_FAULT_NONE;
	}
	if (!is_value(ch))
		return HTTP_FAULT_VALUE;
	if (h->state == HEAD_OWS && (ch == ' ' || ch == '\t'))
		return HTTP_FAULT_NONE;
	h->state = HEAD_VALUE;
	if (h->field == FIELD_NONE)
		return HTTP_FAULT_NONE;
	if (h->value_len < HTTP_VALUE_MAX)
		h->value[h->value_len++] = (char)ch;
	else if (h->field != FIELD_ACCEPT && h->field != FIELD_AGENT)
		return HTTP_FAULT_VALUE_LONG;
	return HTTP_FAULT_NONE;
}

static enum http_fault end_name(struct http_head *h)
{
	h->field = FIELD_NONE;
	h->value_len = 0;
	h->state = HEAD_OWS;
	if (h->name_len > HTTP_NAME_MAX)
		return HTTP_FAULT_NONE;
	h->name[h->name_len] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (!strcasecmp(h->name, fields[i].name))
			h->field = (uint8_t)fields[i].field;
	return HTTP_FAULT_NONE;
}

static enum http_fault end_value(struct http_head *h)
{
	while (h->value_len && (h->value[h->value_len - 1] == ' ' ||
				h->value[h->value_len - 1] == '\t'))
		h->value_len--;
	h->value[h->value_len] = '\0';
	h->state = HEAD_FIELD;
	switch ((enum head_field)h->field) {
	case FIELD_NONE:
		break;
	case FIELD_HOST:
		if (h->hosts < 2)
			h->hosts++;
		break;
	case FIELD_LENGTH:
		return take_length(h);
	case FIELD_CODING:
		return take_coding(h);
	case FIELD_CONNECTION:
		h->close_asked |= list_has(h->value, "close");
		h->keep_asked |= list_has(h->value, "keep-alive");
		break;
	case FIELD_EXPECT:
		if (strcasecmp(h->value, "100-continue") != 0)
			return HTTP_FAULT_EXPECT;
		h->expect_continue = true;
		break;
	case FIELD_ACCEPT:
		h->accepts_html |= strcasestr(h->value, "text/html") != NULL;
		break;
	case FIELD_AGENT:
		h->terminal = !strncasecmp(h->value, "curl/", 5) ||
			      !strncasecmp(h->value, "wget/", 5) ||
			      !strncasecmp(h->value, "httpie/", 7);
		break;
	}
	return HTTP_FAULT_NONE;
}

/* RFC 9112, 6.3: one number. A repeated one is refused even if it agrees. */
static enum http_fault take_length(struct http_head *h)
{
	if (h->has_length)
		return HTTP_FAULT_LENGTH_TWICE;
	h->has_length = true;
	if (!h->value_len)
		return HTTP_FAULT_LENGTH;
	for (const char *p = h->value; *p; p++) {
		if (*p < '0' || *p > '9')
			return HTTP_FAULT_LENGTH;
		if (h->length > (UINT64_MAX - 9) / 10)
			return HTTP_FAULT_LENGTH;
		h->length = h->length * 10 + (uint64_t)(*p - '0');
	}
	return HTTP_FAULT_NONE;
}

static enum http_fault take_coding(struct http_head *h)
{
	if (h->has_coding)
		return HTTP_FAULT_CODING_TWICE;
	h->has_coding = true;
	if (strcasecmp(h->value, "chunked") != 0)
		return HTTP_FAULT_CODING;
	h->chunked = true;
	return HTTP_FAULT_NONE;
}

/* Is @word in the comma-separated @list? (RFC 9110, 5.6.1) */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (;;) {
		list += strspn(list, " \t,");
		if (!*list)
			return false;
		if (!strncasecmp(list, word, len) &&
		    strspn(list + len, " \t") == strcspn(list + len, ","))
			return true;
		list += strcspn(list, ",");
	}
}

/* What only the whole head can tell. */
static enum http_fault end_head(struct http_head *h)
{
	if (h->hosts > 1 || (h->minor && !h->hosts))
		return HTTP_FAULT_HOST;
	if (h->has_length && h->has_coding)
		return HTTP_FAULT_LENGTH_CODING;
	if (h->has_coding && !h->minor)
		return HTTP_FAULT_CODING_OLD;
	/* RFC 9110, 10.1.1: an expectation in HTTP/1.0 is ignored. */
	h->expect_continue = h->expect_continue && h->minor;
	h->keep_alive = !h->close_asked && (h->minor || h->keep_asked);
	h->method[h->method_len] = '\0';
	h->target[h->target_len] = '\0';
	h->done = true;
	return HTTP_FAULT_NONE;
}

/* RFC 9112, 7.1: everything of a chunked body but its text */
static enum http_fault step_chunk(struct http_body *b, uint8_t ch)
{
	switch ((enum body_state)b->state) {
	case BODY_TEXT_CR:
		b->state = BODY_TEXT_LF;
		return ch == '\r' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK;
	case BODY_TEXT_LF:
		b->state = BODY_SIZE;
		b->digits = 0;
		return ch == '\n' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK;
	case BODY_SIZE:
	case BODY_EXTENSION:
	case BODY_SIZE_LF:
		return step_size(b, ch);
	default:
		return step_trailer(b, ch);
	}
}

/* RFC 9112, 7.1.1: 1*HEXDIG [ extension ] CR LF */
static enum http_fault step_size(struct http_body *b, uint8_t ch)
{
	static const char hex[] = "0123456789abcdef";
	const char *digit = ch ? strchr(hex, ch | 0x20) : NULL;

	if (b->state == BODY_SIZE_LF) {
		if (ch != '\n' || b->left > UINT64_MAX - b->length)
			return HTTP_FAULT_CHUNK;
		b->length += b->left;
		b->state = b->left ? BODY_TEXT : BODY_TRAILER;
		return HTTP_FAULT_NONE;
	}
	if (b->state == BODY_SIZE && digit && ch > ' ') {
		if (b->digits == 15)
			return HTTP_FAULT_CHUNK;
		b->digits++;
		b->left = b->left << 4 | (uint64_t)(digit - hex);
		return HTTP_FAULT_NONE;
	}
	if (!b->digits)
		return HTTP_FAULT_CHUNK;
	if (ch == '\r') {
		b->state = BODY_SIZE_LF;
		return HTTP_FAULT_NONE;
	}
	if (b->state == BODY_SIZE && ch != ';' && ch != ' ')
		return HTTP_FAULT_CHUNK;
	b->state = BODY_EXTENSION;
	/* All extensions and trailers of a body together are bounded. */
	if (!is_value(ch) || ++b->line > HTTP_HEAD_MAX)
		return HTTP_FAULT_CHUNK;
	return HTTP_FAULT_NONE;
}

/* RFC 9112, 7.1.2: field lines, and an empty one at the end */
static enum http_fault step_trailer(struct http_body *b, uint8_t ch)
{
	bool good = true;

	if (++b->line > HTTP_HEAD_MAX)
		return HTTP_FAULT_TRAILER;
	switch ((enum body_state)b->state) {
	case BODY_TRAILER:
		b->state = ch == '\r' ? BODY_END_LF : BODY_TRAILER_NAME;
		good = ch == '\r' || is_token(ch);
		break;
	case BODY_TRAILER_NAME:
		if (ch == ':')
			b->state = BODY_TRAILER_VALUE;
		else
			good = is_token(ch);
		break;
	case BODY_TRAILER_VALUE:
		if (ch == '\r')
			b->state = BODY_TRAILER_LF;
		else
			good = is_value(ch);
		break;
	case BODY_TRAILER_LF:
		b->state = BODY_TRAILER;
		good = ch == '\n';
		break;
	default:
		b->done = good = ch == '\n';
		break;
	}
	return good ? HTTP_FAULT_NONE : HTTP_FAULT_TRAILER;
}
