package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// maxStatus bounds the status line: sd_notify(3) takes 4 KiB at once.
const maxStatus = 2 << 10

// tell asks serve to tell the manager how things are. It waits for nothing.
func (d *service) tell() {
	select {
	case d.news <- struct{}{}:
	default: // it will, soon
	}
}

// watch keeps the manager's watchdog quiet as long as every lane moves, and
// serve, which calls it. While one is blocked it says so and leaves the
// watchdog to do its work.
func (d *service) watch() {
	var stuck []string
	for _, l := range d.lanes {
		if since, late := l.blocked(); late && !l.over() {
			stuck = append(stuck, l.job)
			if !slices.Contains(d.stuck, l.job) {
				d.log.Error("job is blocked", zap.String("job", l.job), zap.Time("since", since))
			}
		}
	}
	for _, job := range d.stuck {
		if !slices.Contains(stuck, job) {
			d.log.Warn("job moves again", zap.String("job", job))
		}
	}
	if d.stuck = stuck; len(stuck) == 0 {
		d.manager.tell(daemon.SdNotifyWatchdog, d.status())
	} else {
		d.manager.tell(d.status())
	}
}

// status is the line that systemctl status shows: what hinders, then for each
// job what it does and how its last run ended.
func (d *service) status() string {
	var parts []string
	if d.refused != "" {
		parts = append(parts, d.refused)
	}
	d.lanes = slices.DeleteFunc(d.lanes, (*lane).over)
	lanes := slices.SortedStableFunc(slices.Values(d.lanes), func(a, b *lane) int { return strings.Compare(a.job, b.job) })
	length := 0
	for i, l := range lanes {
		part := l.String()
		if slices.Contains(d.stuck, l.job) {
			part = "blocked: " + part
		}
		if length += len(part); length > maxStatus {
			parts = append(parts, fmt.Sprintf("and %d jobs more", len(lanes)-i))
			break
		}
		parts = append(parts, part)
	}
	return "STATUS=" + strings.Join(parts, "; ")
}

// String tells what the lane's job does and how its last run ended.
func (l *lane) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.job + ": "
	switch {
	case !l.began.IsZero():
		s += "running since " + l.began.Format(time.RFC3339)
	case l.next.IsZero():
		s += "no next run"
	default:
		s += "next run " + l.next.Format(time.RFC3339)
	}
	if l.last == nil {
		return s + ", none before"
	}
	return s + ", last " + l.last.at.Format(time.RFC3339) + " " + l.last.String()
}

// String says in few words how the run ended.
func (r *result) String() string {
	how := "done"
	switch {
	case r.sum.Err != nil:
		how = "failed"
	case r.sum.Brake != "":
		how = "stopped by the brake"
	case r.sum.Short() > 0:
		how = "fell short"
	}
	return strings.Join(append([]string{how}, counted(r.sum.Counts)...), ", ")
}
