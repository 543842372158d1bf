#compdef credsync
# Completion of credsync for zsh. credsync says itself what could stand at the
# cursor; nothing is said on errors.
_credsync() {
	local line paths
	local -a candidates
	for line in "${(@f)$(${(Q)words[1]/#\~/$HOME} complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
		case $line in
		'') ;;
		:*) paths=$line ;;
		*) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
		esac
	done
	[[ -z $paths ]] || { compset -P '--*='; true }
	case $paths in
	:file) _files ;;
	:directory) _files -/ ;;
	*) _describe -t values 'what credsync takes' candidates ;;
	esac
}
# As a file in $fpath it is called; in .zshrc it is sourced.
if [[ ${funcstack[1]} == _credsync ]]; then _credsync "$@"; else compdef _credsync credsync; fi
