# schema.awk - From tcphs-json(5) to the JSON Schemas that tcphsctl prints
#
#	awk -f cli/schema.awk cli/tcphs-json.5.scd >build/cli/schemas.json
#
# The page is written so that it can be read by programs, too. Its tables have
# three columns: names in bold, a type, a meaning. Under DOCUMENTS a row is a
# command and what it prints, under OBJECTS a member of the object above it. A
# type is text, integer, bool, time, conn, end or the name of an object, in []
# if it is an array of these, in {} if it is an object of free names; a ? says
# that the member may be absent. Where a row has as many names as types, or as
# many as parts of its meaning between semicolons, each has its own.
#
# Out comes one object: "documents" has a schema for each command, "$defs" those
# of all objects. What the page gets wrong stops the build.

/^# / {
	end_table()
	part = substr($0, 3)
	object = ""
}

/^## / && part == "OBJECTS" {
	end_table()
	object = substr($0, 4)
	objects[++nobjects] = object
}

/^[|:]/ && (part == "DOCUMENTS" || part == "OBJECTS") {
	if (/^\|/) {
		end_row()
		column = 0
	}
	cell[++column] = substr($0, 4)
	in_table = 1
	next
}

in_table && /^   / {
	cell[column] = cell[column] " " substr($0, 4)
	next
}

in_table {
	end_table()
}

object && /^All of \*/ {
	base[object] = clean($3)
	sub(/,$/, "", base[object])
	next
}

object && !/^#/ && NF {
	about[object] = about[object] (about[object] ? " " : "") clean($0)
}

END {
	end_table()
	if (!failed)
		put_all()
	exit failed
}

function fail(words)
{
	print FILENAME ": " words >"/dev/stderr"
	failed = 1
}

# ---- reading ----------------------------------------------------------------

function end_table()
{
	end_row()
	in_table = 0
}

function end_row()
{
	if (column == 3 && part == "DOCUMENTS")
		take_document()
	else if (column == 3)
		take_members()
	else if (column)
		fail("a row of " column " cells: " cell[1])
	column = 0
}

# "*close --all*" is of close; what is not in bold is of no command.
function take_document(names, n, i, command)
{
	n = split(cell[1], names, /, /)
	for (i = 1; i <= n; i++) {
		command = names[i] ~ /^\*/ ? clean(names[i]) : ""
		sub(/ [A-Z]+$| --.*$/, "", command)
		if (cell[2] == "lines")
			continue
		if (!(command in documents))
			commands[++ncommands] = command
		else
			documents[command] = documents[command] ","
		documents[command] = documents[command] type(cell[2])
		choices[command]++
	}
}

function take_members(names, types, meanings, n, ntypes, nmeanings, i, t, name)
{
	n = split(cell[1], names, /, /)
	ntypes = split(cell[2], types, /, /)
	nmeanings = split(cell[3], meanings, /; /)
	if (ntypes != 1 && ntypes != n)
		fail(object ": " n " names, but " ntypes " types: " cell[1])
	for (i = 1; i <= n; i++) {
		name = clean(names[i])
		t = types[ntypes == n ? i : 1]
		if (!sub(/\?$/, "", t))
			add(required, object, string(name))
		add(properties, object, string(name) ":" described(type(t),
			nmeanings == n ? meanings[i] : cell[3]))
	}
}

function add(list, key, text)
{
	list[key] = list[key] (key in list && list[key] ? "," : "") text
}

# Without scdoc's marks.
function clean(text)
{
	gsub(/\*/, "", text)
	gsub(/\\/, "", text)
	return text
}

function string(text)
{
	gsub(/"/, "\\\"", text)
	return "\"" text "\""
}

function type(name, inner)
{
	inner = substr(name, 2, length(name) - 2)
	if (name ~ /^\[.*\]$/)
		return "{\"type\":\"array\",\"items\":" type(inner) "}"
	if (name ~ /^\{.*\}$/)
		return "{\"type\":\"object\",\"additionalProperties\":" \
			type(inner) "}"
	if (name == "integer")
		return "{\"type\":\"integer\"}"
	if (name == "bool")
		return "{\"type\":\"boolean\"}"
	if (name == "text")
		return "{\"type\":\"string\",\"minLength\":1}"
	if (name == "time")
		return "{\"type\":\"string\",\"format\":\"date-time\"}"
	if (name == "conn")
		return "{\"type\":\"string\",\"pattern\":\"^c[0-9]+$\"}"
	if (name == "end" || name ~ /^[A-Z][a-z]+$/) {
		wanted[name] = 1
		return "{\"$ref\":\"#/$defs/" name "\"}"
	}
	fail("no type: " name)
}

# A schema with one more member.
function described(schema, meaning)
{
	sub(/}$/, ",\"description\":" string(clean(meaning)) "}", schema)
	return schema
}

# ---- writing ----------------------------------------------------------------

function put_all(i, name, command)
{
	printf "{\"documents\":{"
	for (i = 1; i <= ncommands; i++) {
		command = commands[i]
		printf "%s\n%s:", (i > 1 ? "," : ""), string(command)
		if (choices[command] > 1)
			printf "{\"anyOf\":[%s]}", documents[command]
		else
			printf "%s", documents[command]
	}
	printf "},\n\"$defs\":{\n"
	printf "\"end\":{\"type\":\"object\",\"required\":[\"ip\",\"port\"]," \
		"\"properties\":{\"ip\":%s,\"port\":%s}}",
		described(type("text"), "its address"),
		described(type("integer"), "its port")
	delete wanted["end"]
	for (i = 1; i <= nobjects; i++) {
		name = objects[i]
		if (base[name]) {
			add_base(properties, name)
			add_base(required, name)
		}
		put_object(name)
		delete wanted[name]
	}
	print "}}"
	for (name in wanted)
		fail("there is no object " name)
}

function add_base(list, name)
{
	list[name] = list[base[name]] "," list[name]
}

function put_object(name)
{
	printf ",\n%s:{\"type\":\"object\"", string(name)
	if (about[name])
		printf ",\"description\":%s", string(about[name])
	printf ",\"properties\":{%s},\"required\":[%s]}", properties[name],
		required[name]
}
