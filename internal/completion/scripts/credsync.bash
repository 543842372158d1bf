# Completion of credsync for bash 3.2 and later. credsync says itself what could
# stand at the cursor; nothing is said on errors.
_credsync() {
	local line value current=${COMP_WORDS[COMP_CWORD]}
	[[ $current != = ]] || current=
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:file | :directory)
			compopt -o filenames 2>/dev/null
			while IFS= read -r value; do COMPREPLY+=("$value"); done < <(
				if [[ $line == :file ]]; then compgen -f -- "$current"; else compgen -d -- "$current"; fi
			)
			;;
		*) COMPREPLY+=("${line%%$'\t'*}") ;;
		esac
	done < <("${1/#\~/$HOME}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _credsync credsync
