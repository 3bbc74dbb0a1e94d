#!/bin/sh
# exports.sh NM SHARED STATIC HEADER... -- both libraries export exactly what the headers mark TERCET_API.
set -eu
nm=$1 shared=$2 static=$3
shift 3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Declarations may run over several lines: join each from TERCET_API to its semicolon.
sed '/^#/d' "$@" | tr '\n' ' ' | sed 's/;/;\n/g' | grep 'TERCET_API' |
    sed 's/.*TERCET_API//' | grep -o 'tercet_[a-z0-9_]*(' | tr -d '(' | sort -u >"$work/all"
# A function's own name is the first with a parenthesis; those of its parameters' types have none.
"$nm" -D --defined-only "$shared" | awk '$2 ~ /[TDBRV]/ {print $3}' | sort -u >"$work/shared"
"$nm" --defined-only "$static" | awk 'NF == 3 && $2 ~ /[TDBRV]/ {print $3}' | sort -u >"$work/static"

failed=0
for kind in shared static; do
    if grep -v '^tercet_' "$work/$kind"; then
        echo "$kind: exports the names above, which are not ours to give"
        failed=1
    fi
    if comm -13 "$work/all" "$work/$kind" | grep '^tercet_'; then
        echo "$kind: exports the names above, which no header declares"
        failed=1
    fi
    if comm -23 "$work/all" "$work/$kind" | grep .; then
        echo "$kind: lacks the names above, which a header declares"
        failed=1
    fi
done
exit $failed
