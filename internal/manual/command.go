package manual

import (
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Command writes credsync(1), of the commands and flags in app that are not
// hidden.
func Command(w io.Writer, app *kong.Application, e Edition) error {
	data := struct {
		Edition
		Help     string
		Global   []option
		Commands []command
	}{Edition: e, Help: app.Help, Global: options(app.Node)}
	for _, leaf := range app.Leaves(true) {
		c := command{Usage: leaf.Path(), Help: leaf.Help, Detail: leaf.Detail, Options: options(leaf)}
		for _, arg := range leaf.Positional {
			c.Usage += " " + usage(arg)
			c.Options = append(c.Options, option{Name: strings.ToUpper(arg.Name), Help: arg.Help})
		}
		data.Commands = append(data.Commands, c)
	}
	return write(w, "credsync.1.tmpl", data)
}

type command struct {
	Usage, Help, Detail string
	Options             []option
}

// An option is a flag, or an argument, which has a Name alone.
type option struct {
	Short, Name, Value, Help string
}

func options(node *kong.Node) (all []option) {
	for _, f := range node.Flags {
		if f.Hidden {
			continue
		}
		o := option{Name: "--" + f.Name, Help: f.Help}
		if f.Short != 0 {
			o.Short = "-" + string(f.Short)
		}
		if !f.IsBool() && !f.IsCounter() {
			o.Value = value(f)
		}
		if f.Required {
			o.Help += " Has to be given."
		}
		all = append(all, o)
	}
	return all
}

// value says what a flag takes.
func value(f *kong.Flag) string {
	switch {
	case f.Enum != "":
		return strings.Join(f.EnumSlice(), "|")
	case f.PlaceHolder != "":
		return f.PlaceHolder
	}
	return strings.ToUpper(f.Name)
}

func usage(arg *kong.Positional) string {
	text := strings.ToUpper(arg.Name)
	if arg.IsCumulative() {
		text += "..."
	}
	if !arg.Required {
		text = "[" + text + "]"
	}
	return text
}
