// Package suggest guesses what somebody meant who mistyped a name.
package suggest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// farthest is how many letters a name may be off to be taken for a slip.
const farthest = 2

// Nearest returns the name in known that wrong was most likely meant to be, or
// the empty string where none is close.
func Nearest(wrong string, known []string) string {
	best, name := farthest+1, ""
	for _, k := range known {
		// Of a short name, two letters are most of it.
		if d := distance(strings.ToLower(wrong), k); d < best && d < len(k)-1 {
			best, name = d, k
		}
	}
	return name
}

// Hint returns a hint: the nearest of known, and all of them, which are
// called whats.
func Hint(wrong string, known []string, whats string) string {
	if len(known) == 0 {
		return "there are no " + whats
	}
	hint := whats + ": " + strings.Join(shown(known), ", ")
	switch meant := Nearest(wrong, known); {
	case meant == "":
		return hint
	case len(known) == 1:
		return fmt.Sprintf("did you mean %q?", meant)
	default:
		return fmt.Sprintf("did you mean %q? %s", meant, hint)
	}
}

// shown returns names as a line can hold them: what does not print is escaped.
func shown(names []string) []string {
	fit := make([]string, len(names))
	for i, name := range names {
		if fit[i] = name; strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			fit[i] = strconv.Quote(name)
		}
	}
	return fit
}

// distance returns the number of letters to insert, delete, replace or swap
// with their neighbour to make b of a, up to farthest+1.
func distance(a, b string) int {
	if max(len(a)-len(b), len(b)-len(a)) > farthest {
		return farthest + 1
	}
	var before []int // the row two up, for swaps
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := []int{i + 1}
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			d := min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			next = append(next, d)
		}
		before, row = row, next
	}
	return row[len(b)]
}
