package main

import (
	"os"
	"os/exec"
	"runtime"
)

// openBrowser shows url in the person's browser, if one is to be had, and
// reports whether it tried. It does not wait for it.
func openBrowser(url string) bool {
	command := browser(runtime.GOOS, os.Getenv)
	if command == nil {
		return false
	}
	cmd := exec.Command(command[0], append(command[1:], url)...) //nolint:gosec // the person's own browser
	if cmd.Start() != nil {
		return false
	}
	return cmd.Process.Release() == nil
}

// browser returns the command that opens a URL, or nil. Without a display there
// is none, as what would come then is a text browser in the terminal.
func browser(system string, env func(string) string) []string {
	switch {
	case env("BROWSER") != "":
		return []string{env("BROWSER")}
	case system == "darwin":
		return []string{"open"}
	case system == "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	case env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != "":
		return []string{"xdg-open"}
	}
	return nil
}
