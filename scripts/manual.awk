# SPDX-License-Identifier: MIT
# manual.awk - reader/manual/*.txt made into the help of the program, man pages and completion.
#
#   awk -v mode=help       -f scripts/manual.awk reader/manual/*.txt   C, for reader/help.h
#   awk -v mode=man        ...                                        invreg(1), for scdoc
#   awk -v mode=probes     ... reader/manual/probes.txt               invreg-probes(5), for scdoc
#   awk -v mode=completion ...                                        for bash
#
# A file is one topic: `NAME - SUMMARY`, an empty line, then what --help prints. In it,
# `usage: ...` and `WORDS:` alone on a line are headings; an indented line with a gap of two
# spaces is a term and what it means, which goes on in lines indented further; other indented
# lines are shown as they are. `@verbs` stands for the list of verbs.

FNR == 1 {
	split($0, head, " - ")
	topic = head[1]
	topics[++topic_count] = topic
	summary[topic] = substr($0, length(topic) + 4)
	next
}
FNR == 2 { next }
{ lines[topic, ++line_count[topic]] = $0 }

END {
	if (mode == "help")
		make_help()
	else if (mode == "man")
		make_man()
	else if (mode == "probes")
		make_probes()
	else
		make_completion()
}

function is_verb(topic) { return topic != "invreg" && topic != "probes" }

function verb_list(  i, text) {
	for (i = 1; i <= topic_count; i++)
		if (is_verb(topics[i]))
			text = text sprintf("  %-10s %s\n", topics[i], summary[topics[i]])
	return text
}

# ---- C ----

function c_string(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	gsub(/\n/, "\\n\"\n\t \"", text)
	return "\"" text "\""
}

function topic_text(topic,  i, text) {
	for (i = 1; i <= line_count[topic]; i++)
		text = text (lines[topic, i] == "@verbs" ? verb_list() : lines[topic, i] "\n")
	return text
}

function make_help(  i) {
	print "/* Made from reader/manual by scripts/manual.awk. */"
	print "#include \"reader/help.h\"\n"
	print "const struct inv_help_topic inv_help_topics[] = {"
	for (i = 1; i <= topic_count; i++)
		print "\t{" c_string(topics[i]) ",\n\t " c_string(summary[topics[i]]) ",\n\t " \
			c_string(topic_text(topics[i])) "},"
	print "\t{0, 0, 0}};"
}

# ---- scdoc ----

function escape(text) {
	gsub(/[\\_*`#|]/, "\\\\&", text)
	return text
}

function end_block() {
	if (block == "literal")
		print "```"
	if (block)
		print ""
	block = ""
}

function literal(text) {
	if (block != "literal") {
		end_block()
		print "```"
		block = "literal"
	}
	print text
}

function heading(text, level) {
	end_block()
	print (level == 1 ? "# " toupper(text) : "*" escape(text) "*") "\n"
	in_examples = text == "examples"
}

# `  term   what it means`
function term(line,  at) {
	end_block()
	sub(/^ +/, "", line)
	at = match(line, /  +/)
	print "*" escape(substr(line, 1, at - 1)) "*"
	print "\t" escape(substr(line, at + RLENGTH))
	block = "term"
}

function body(topic, level,  i, line) {
	for (i = 1; i <= line_count[topic]; i++) {
		line = lines[topic, i]
		if (line == "")
			end_block()
		else if (line == "@verbs")
			print "The verbs are described below.\n"
		else if (line ~ /^usage: /)
			literal(substr(line, 8))
		else if (line ~ /^[a-z][a-z ]*:$/)
			heading(substr(line, 1, length(line) - 1), level)
		else if (!in_examples && block == "term" && line ~ /^        /)
			print "\t" escape(substr(line, match(line, /[^ ]/)))
		else if (!in_examples && line ~ /^  +[^ ]+( [^ ]+)*  +[^ ]/)
			term(line)
		else if (line ~ /^  /)
			literal(substr(line, 3))
		else {
			if (block == "literal" || block == "term")
				end_block()
			block = "text"
			print escape(line)
		}
	}
	end_block()
	in_examples = 0
}

function make_man(  i) {
	print "invreg(1) \"\" \"User Commands\"\n"
	print "# NAME\n\ninvreg - " escape(summary["invreg"]) "\n"
	print "# SYNOPSIS AND DESCRIPTION\n"
	body("invreg", 1)
	print "# VERBS\n"
	for (i = 1; i <= topic_count; i++)
		if (is_verb(topics[i])) {
			print "## invreg " topics[i] "\n"
			body(topics[i], 2)
		}
	print "# SEE ALSO\n\n*invreg-probes*(5)"
}

function make_probes() {
	print "invreg-probes(5) \"\" \"File Formats\"\n"
	print "# NAME\n\ninvreg-probes - " escape(summary["probes"]) "\n"
	print "# DESCRIPTION\n"
	body("probes", 1)
	print "# SEE ALSO\n\n*invreg*(1)"
}

# ---- bash ----

function options_of(topic,  i, line, found) {
	for (i = 1; i <= line_count[topic]; i++) {
		line = lines[topic, i]
		if (line ~ /^  +-/)
			while (match(line, /--?[a-z][a-z-]*/)) {
				found = found " " substr(line, RSTART, RLENGTH)
				line = substr(line, RSTART + RLENGTH)
				if (line !~ /^, /)
					break
			}
	}
	return found " --help"
}

function make_completion(  i, verbs) {
	for (i = 1; i <= topic_count; i++)
		if (is_verb(topics[i]))
			verbs = verbs " " topics[i]
	print "# bash completion for invreg; made by scripts/manual.awk"
	print "_invreg() {"
	print "\tlocal word=${COMP_WORDS[COMP_CWORD]} options="
	print "\tCOMPREPLY=()"
	print "\tif ((COMP_CWORD == 1)); then"
	print "\t\tmapfile -t COMPREPLY < <(compgen -W '" substr(verbs, 2) " help --help --version' -- \"$word\")"
	print "\t\treturn"
	print "\tfi"
	print "\tcase ${COMP_WORDS[1]} in"
	for (i = 1; i <= topic_count; i++)
		if (is_verb(topics[i]))
			print "\t" topics[i] ") options='" substr(options_of(topics[i]), 2) "' ;;"
	print "\tesac"
	print "\tif [[ $word == -* ]]; then"
	print "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")"
	print "\t\treturn"
	print "\tfi"
	print "\tcase ${COMP_WORDS[1]} in"
	print "\trun | bench | doctor | probe) mapfile -t COMPREPLY < <(compgen -c -f -- \"$word\") ;;"
	print "\tcheck) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;"
	print "\t*)"
	print "\t\tmapfile -t COMPREPLY < <("
	print "\t\t\tcompgen -f -- \"$word\""
	print "\t\t\tcompgen -W \"$(invreg ls 2>/dev/null | awk 'NR > 1 { print $1 }')\" -- \"$word\""
	print "\t\t)"
	print "\t\t;;"
	print "\tesac"
	print "}"
	print "complete -o filenames -F _invreg invreg"
}
