package main

import (
	"context"
	"fmt"
	"os"

	"github.com/credsync/credsync/internal/emulator"
)

type emulatorCmd struct {
	Listen string  `placeholder:"A" default:"127.0.0.1:0" help:"Address to listen on, HOST:PORT (default: loopback, any free port)."`
	Skills int     `placeholder:"N" default:"25" help:"Number of skills (default ${default})."`
	Rate   float64 `placeholder:"R" default:"0" help:"Requests a second that are allowed (default: no limit)."`
	Dir    string  `complete:"directory" placeholder:"D" help:"Where to write a configuration with its secret files (default: a temporary directory)."`
}

// Help is what --help adds.
func (emulatorCmd) Help() string {
	return `Serves Amazon's Skill Management API and Login with Amazon until Ctrl-C. Faults,
limits and rotations on demand: curl the address it prints, with /emulator/.

Examples:
  credsync emulator
  credsync emulator --listen 127.0.0.1:8080 --skills 100 --rate 20 --dir trial`
}

func (cmd emulatorCmd) Run(ctx context.Context, t terminal) error {
	if cmd.Skills < 0 || cmd.Rate < 0 {
		return usage(fmt.Errorf("--skills and --rate are not negative"))
	}
	amazon := emulator.New(emulator.Options{Skills: cmd.Skills, Rate: cmd.Rate})
	server, err := emulator.Serve(ctx, cmd.Listen, amazon)
	if err != nil {
		return usage(err)
	}
	dir := cmd.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "credsync-emulator-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	path, err := emulator.WriteConfig(dir, server.URL, amazon)
	if err != nil {
		return usage(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "# %s\n%s", path, content)
	fmt.Fprintf(t.err, "\nServing %d skills at %s\nWhat else it can do: curl %s/emulator/\nCtrl-C ends it.\n", cmd.Skills, server.URL, server.URL)
	return server.Wait()
}
