#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes C of files, for reader/web.h: scripts/embed.sh FOLDER FILE... > out.c
# A file FOLDER/a/b.js is served as /a/b.js, with the type that its suffix has.
set -euo pipefail

folder=${1%/}
shift

type_of() { # FILE
	case $1 in
	*.html) echo "text/html; charset=utf-8" ;;
	*.css) echo "text/css; charset=utf-8" ;;
	*.js | *.mjs) echo "text/javascript; charset=utf-8" ;;
	*.json | *.map) echo "application/json" ;;
	*.svg) echo "image/svg+xml" ;;
	*.png) echo "image/png" ;;
	*.ico) echo "image/x-icon" ;;
	*.woff2) echo "font/woff2" ;;
	*.webmanifest) echo "application/manifest+json" ;;
	*.txt) echo "text/plain; charset=utf-8" ;;
	*) echo "application/octet-stream" ;;
	esac
}

echo '/* Made by scripts/embed.sh. */'
echo '#include "reader/web.h"'
number=0
for file in "$@"; do
	echo "static const unsigned char file_${number}[] = {"
	od -An -v -tu1 "$file" | sed 's/  *\([0-9][0-9]*\)/\1,/g'
	echo '0};' # an empty file is an array, too
	number=$((number + 1))
done
echo 'const struct inv_web_file inv_web_files[] = {'
number=0
for file in "$@"; do
	printf '{"%s", "%s", file_%d, sizeof(file_%d) - 1},\n' \
		"${file#"$folder"}" "$(type_of "$file")" "$number" "$number"
	number=$((number + 1))
done
echo '{0, 0, 0, 0}};'
