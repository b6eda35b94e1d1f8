# SPDX-License-Identifier: GPL-2.0-or-later
# fish: hairpinctl itself says what may come next; "@files" stands for a file's name.

function __hairpinctl_words
	set -l words (commandline -opc)
	set -l found ($words[1] complete -- $words[2..-1] 2>/dev/null)

	if contains -- @files $found
		__fish_complete_path (commandline -ct)
		return
	end
	for word in $found
		if string match -q -- '-*' (commandline -ct); or not string match -q -- '-*' $word
			echo $word
		end
	end
end

complete -c hairpinctl -f -a '(__hairpinctl_words)'
