# Each requirement of RFC 9293 beside the code that meets it and the tests that
# show it. FORMAT=md prints the table as Markdown.
FORMAT ?= text

rfc:
	@tests/rfc/rfc.py --format $(FORMAT)

.PHONY: rfc
