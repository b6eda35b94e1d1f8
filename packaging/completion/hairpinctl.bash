# SPDX-License-Identifier: GPL-2.0-or-later
# bash: hairpinctl itself says what may come next; "@files" stands for a file's name. Words are compared here, not
# given to compgen -W, which would expand them.

_hairpinctl()
{
	local word current=${COMP_WORDS[COMP_CWORD]}

	COMPREPLY=()
	while IFS= read -r word; do
		if [[ $word == @files ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			compopt -o filenames 2>/dev/null
			return
		fi
		[[ $word == -* && $current != -* ]] && continue
		[[ $word == "$current"* ]] && COMPREPLY+=("$word")
	done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null | sort -u)
}

complete -F _hairpinctl hairpinctl
