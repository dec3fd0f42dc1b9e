# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What fairlead itself says may come next, beside files.
function __fairlead_complete
	set -l words (commandline -opc)
	$words[1] complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c fairlead -a '(__fairlead_complete)'
