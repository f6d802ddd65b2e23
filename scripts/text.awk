# SPDX-License-Identifier: MIT
# text.awk - files, one after the other, as the text of a C array.
#
#   awk -v header=FILE.h -v name=NAME -f scripts/text.awk FILE...   const char NAME[] of FILE.h

BEGIN {
	print "/* Made by scripts/text.awk. */"
	print "#include \"" header "\"\n"
	print "const char " name "[] ="
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	gsub(/\?/, "\\?") # no trigraphs
	print "\t\"" $0 "\\n\""
}
END { print "\t;" }
