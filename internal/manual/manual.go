// Package manual writes the manual pages: credsync(1) from kong's model of the
// command line, credsync.yaml(5) from the JSON Schema of the configuration. What
// neither knows stands in the templates beside this file. The pages are man(7)
// source, which groff and mandoc read alike.
package manual

import (
	"embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
)

// An Edition is what the head of a page says.
type Edition struct {
	Version string
	Date    time.Time
}

// Day returns the date as pages show it.
func (e Edition) Day() string { return e.Date.UTC().Format(time.DateOnly) }

//go:embed *.tmpl
var pages embed.FS

// write executes the template of a page. In it, {{.|name}} is a word or a heading,
// {{.|prose}} a paragraph, {{.|detail}} several, and {{.|example}} text as it is.
func write(w io.Writer, page string, data any) error {
	t, err := template.New(page).Funcs(template.FuncMap{
		"name": escape, "prose": prose, "detail": detail, "example": example,
	}).ParseFS(pages, page)
	if err != nil {
		return err
	}
	return t.Execute(w, data)
}

// escape returns text so that no character of it is taken for a request, an
// escape or a hyphen.
func escape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case (r == '.' || r == '\'') && i == 0:
			b.WriteString(`\&` + string(r))
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// width is how long a line of source gets.
const width = 76

// prose returns text in lines of source, each sentence on its own.
func prose(text string) string {
	var b strings.Builder
	length := 0
	for word := range strings.FieldsSeq(text) {
		last := strings.HasSuffix(b.String(), ".") || strings.HasSuffix(b.String(), "?")
		switch word = escape(word); {
		case length == 0:
		case last || length+len(word) >= width:
			b.WriteByte('\n')
			length = 0
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String()
}

// detail returns paragraphs, with an empty line between them; indented lines
// stay as they are.
func detail(text string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		b.WriteString(".PP\n")
		if strings.HasPrefix(part, " ") {
			b.WriteString(example(part))
		} else {
			b.WriteString(prose(part))
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// example returns text with its spaces and line breaks.
func example(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		b.WriteString(escape(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return ".nf\n" + b.String() + ".fi"
}
