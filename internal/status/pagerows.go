package status

import (
	"slices"

	"github.com/credsync/credsync/internal/syncer"
)

// link is the address of the rows that f chooses.
func link(f Filter) string {
	if query := f.Query().Encode(); query != "" {
		return "/?" + query + "#skills"
	}
	return "/#skills"
}

// A group is the rows of one job on this page: they have the same sinks.
type group struct {
	Job   Job
	Items []Skill
}

// Groups are the rows of this page.
func (v view) Groups() (groups []group) {
	for _, s := range v.Skills.Items {
		if n := len(groups); n == 0 || groups[n-1].Job.Name != s.Job {
			groups = append(groups, group{Job: v.job(s.Job)})
		}
		last := &groups[len(groups)-1]
		last.Items = append(last.Items, s)
	}
	return groups
}

func (v view) job(name string) Job {
	for _, j := range v.Jobs {
		if j.Name == name {
			return j
		}
	}
	return Job{Name: name}
}

// First and Last are the numbers of the first and the last row shown, from 1.
func (v view) First() int { return v.Skills.Offset + 1 }

func (v view) Last() int { return v.Skills.Offset + len(v.Skills.Items) }

// Limits are the sizes of a page to choose from.
func (v view) Limits() []int {
	limits := []int{50, usualLimit, 250, maxLimit, v.Skills.Limit}
	slices.Sort(limits)
	return slices.Compact(limits)
}

// A leaf leads to another page of rows; without a link it is this one, or a gap.
type leaf struct {
	N    int // 0 = a gap
	Link string
	Here bool
}

// Leaves are the pages to go to: the first, the last, and those around this one.
func (v view) Leaves() (leaves []leaf) {
	here, last := v.leafNumber(v.Skills.Offset), v.leafNumber(v.Skills.Matching-1)
	if last < 2 {
		return nil
	}
	for n := 1; n <= last; n++ {
		switch {
		case n == 1 || n == last || n >= here-1 && n <= here+1 || here <= 3 && n <= 4 || here >= last-2 && n >= last-3:
			leaves = append(leaves, leaf{N: n, Link: v.leafLink(n), Here: n == here})
		case leaves[len(leaves)-1].N != 0:
			leaves = append(leaves, leaf{})
		}
	}
	return leaves
}

// Previous and Next are the addresses of the pages beside this one, or empty.
func (v view) Previous() string {
	if v.Skills.Offset == 0 {
		return ""
	}
	return v.leafLink(min(v.leafNumber(v.Skills.Offset)-1, v.leafNumber(v.Skills.Matching-1)))
}

func (v view) Next() string {
	if v.Skills.Offset+v.Skills.Limit >= v.Skills.Matching {
		return ""
	}
	return v.leafLink(v.leafNumber(v.Skills.Offset) + 1)
}

func (v view) leafNumber(row int) int { return max(row, 0)/v.Skills.Limit + 1 }

func (v view) leafLink(n int) string {
	f := v.Filter
	f.Offset = (max(n, 1) - 1) * v.Skills.Limit
	return link(f)
}

// Unfiltered is the address of all rows.
func (v view) Unfiltered() string { return link(Filter{Limit: v.Filter.Limit}) }

// bad reports whether o is not as it should be.
func bad(o syncer.Outcome) bool {
	return o == syncer.Refused || o == syncer.Failed || o == syncer.Skipped
}
