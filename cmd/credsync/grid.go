package main

import (
	"strings"

	"github.com/rivo/uniseg"

	"github.com/credsync/credsync/internal/syncer"
)

// A sign is how a plan and colours show an outcome.
type sign struct {
	text string
	tint tint
}

var signs = map[syncer.Outcome]sign{
	syncer.Created:   {"+", good},
	syncer.Updated:   {"~", change},
	syncer.Repaired:  {"!", special},
	syncer.Unchanged: {" ", faint},
	syncer.Refused:   {"x", bad},
	syncer.Failed:    {"?", bad},
	syncer.Skipped:   {"-", faint},
}

// A grid lays out the rows of one table.
type grid struct {
	columns     int  // of the whole
	skill, sink int  // widths of these
	signs       bool // each row begins with the sign of its outcome
	look        look
}

// row returns a line of the grid. Its sign and outcome are painted after they
// were measured.
func (g grid) row(o syncer.Outcome, skill, sink, outcome, detail string) string {
	s, known := signs[o]
	head := ""
	if g.signs {
		head = s.text + " "
		if !known {
			head = "  "
		}
	}
	before := cell(skill, g.skill) + "  " + cell(sink, g.sink) + "  "
	outcome = cell(outcome, 9)
	used := uniseg.StringWidth(head + before + outcome + "  ")
	detail = clip(detail, max(g.columns-used, 0))
	if known {
		head, outcome = g.look.paint(s.tint, head), g.look.paint(s.tint, outcome)
	}
	return strings.TrimRight(head+before+outcome+"  "+detail, " ") + "\n"
}
