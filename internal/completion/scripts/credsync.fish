# Completion of credsync for fish. credsync says itself what could stand at the
# cursor; nothing is said on errors.
function __credsync_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l flag (string match -r -- '^--[^=]*=' "$current")
    set -l path (string replace -r -- '^--[^=]*=' '' "$current")
    for line in ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path "$path" | string replace -r -- '^' "$flag"
            case :directory
                __fish_complete_directories "$path" | string replace -r -- '^' "$flag"
            case '*'
                echo $line
        end
    end
end
complete -c credsync -f -a '(__credsync_complete)'
