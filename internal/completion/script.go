package completion

import (
	"embed"
	"fmt"
)

// Shells are those that there is a script for.
var Shells = []string{"bash", "zsh", "fish"}

//go:embed scripts
var scripts embed.FS

// Script returns what makes a shell complete the commands of credsync: it asks
// `credsync complete -- WORD…`, and offers what that prints.
func Script(shell string) (string, error) {
	b, err := scripts.ReadFile("scripts/credsync." + shell)
	if err != nil {
		return "", fmt.Errorf("no completion for %q; there are %v", shell, Shells)
	}
	return string(b), nil
}
