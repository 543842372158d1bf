package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/status"
	"github.com/credsync/credsync/internal/syncer"
)

// writeStatus shows r to a person, in 80 columns.
func writeStatus(out io.Writer, r status.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "credsync %s, instance %s, %s, up %s\n", r.Version, r.Instance, r.Config, ago(r.Now.Sub(r.Started)))
	for i, p := range r.Problems {
		if i == 0 {
			b.WriteString("NOT READY\n")
		}
		fmt.Fprintf(&b, "  %s\n", printable(p))
	}
	for _, s := range r.Sources {
		if s.Denied != "" {
			fmt.Fprintf(&b, "source %s: %s\n", s.Name, printable(s.Denied))
		}
	}
	head := wrap(b.String(), width)
	b.Reset()
	writeJobs(&b, r)
	writeSkills(&b, r.Skills)
	table := b.String()
	b.Reset()
	writeTroubles(&b, r)
	_, err := io.WriteString(out, head+table+wrap(b.String(), width))
	return err
}

func writeJobs(b *strings.Builder, r status.Report) {
	row := func(job, last, result, next string) {
		line := cell(job, 20) + "  " + cell(last, 28) + "  " + cell(result, 8) + "  "
		b.WriteString(strings.TrimRight(line+clip(next, width-uniseg.StringWidth(line)), " ") + "\n")
	}
	b.WriteString("\n")
	row("JOB", "LAST RUN", "RESULT", "NEXT RUN")
	for _, j := range r.Jobs {
		last, result := "none yet", ""
		if len(j.Runs) > 0 {
			run := j.Runs[0]
			took := time.Duration(run.TookSeconds * float64(time.Second))
			last = fmt.Sprintf("%s ago, took %s", ago(r.Now.Sub(run.Started.Add(took))), took.Round(time.Millisecond))
			result = string(run.Result)
		}
		row(j.Name, last, result, nextRun(j, r.Now))
	}
	for _, j := range r.Jobs {
		if len(j.Runs) == 0 {
			continue
		}
		if why := cmp.Or(j.Runs[0].Error, j.Runs[0].Brake); why != "" {
			b.WriteString(wrap(fmt.Sprintf("  %s: %s\n", j.Name, printable(why)), width))
		}
	}
}

func nextRun(j status.Job, now time.Time) string {
	switch p := j.Running; {
	case p != nil && p.Total == 0:
		return "running"
	case p != nil:
		return fmt.Sprintf("running, %d %%", 100*p.Done/p.Total)
	case j.Overdue:
		return "overdue"
	case j.Next.IsZero():
		return "never"
	}
	return "in " + ago(max(j.Next.Sub(now), 0))
}

// writeSkills shows the rows of p, a line for each cell that says something.
func writeSkills(b *strings.Builder, p status.Page) {
	fmt.Fprintf(b, "\n%d %s: %s\n", p.Total, plural(p.Total, "skill"), strings.Join(counted(p.Outcomes), ", "))
	if len(p.Items) == 0 {
		return
	}
	row := func(skill, sink, outcome, detail string) {
		line := cell(skill, 36) + "  " + cell(sink, 12) + "  " + cell(outcome, 9) + "  "
		b.WriteString(strings.TrimRight(line+clip(detail, width-uniseg.StringWidth(line)), " ") + "\n")
	}
	b.WriteString("\n")
	row("SKILL", "SINK", "OUTCOME", "REASON")
	for _, s := range p.Items {
		name := shown(syncer.Result{Skill: credential.SkillID(s.Skill), Label: s.Label})
		for _, c := range s.Cells {
			if c.Outcome != "" {
				row(name, c.Sink, string(c.Outcome), string(c.Reason))
			}
		}
	}
	if more := p.Matching - len(p.Items); more > 0 {
		fmt.Fprintf(b, "… and %d more; -o json has a thousand\n", more)
	}
}

// writeTroubles says what is wrong, since when, and what to do about it.
func writeTroubles(b *strings.Builder, r status.Report) {
	for _, t := range r.Troubles {
		fmt.Fprintf(b, "\n%s (%d %s, job %s, sink %s, for %s):\n", t.Reason, t.Skills, plural(t.Skills, "skill"), t.Job, t.Sink, ago(r.Now.Sub(t.Since)))
		if t.Error != "" {
			fmt.Fprintf(b, "  %s\n", printable(t.Error))
		}
		if t.Cure != "" {
			fmt.Fprintf(b, "  → %s\n", printable(t.Cure))
		}
		if t.Command != "" {
			fmt.Fprintf(b, "  %s\n", printable(t.Command))
		}
	}
}

// ago is a span of time as people say it: its two largest units.
func ago(d time.Duration) string {
	d = max(d, 0)
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, rest/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
