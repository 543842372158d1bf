package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/scheduler"
)

// A manager is the service manager that has started us: systemd, or nobody.
type manager struct {
	log      *zap.Logger
	send     func(state string) error
	watchdog time.Duration // it kills us when it has not heard of us for so long; 0 = it does not
	status   string        // as it was told last
	failed   bool          // so that a manager that does not listen is news once
}

// newManager returns the one that the environment tells of.
func newManager(log *zap.Logger) *manager {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("no watchdog: $WATCHDOG_USEC is not understood", zap.Error(err))
	}
	return &manager{log: log, watchdog: watchdog, send: func(state string) error {
		_, err := daemon.SdNotify(false, state)
		return err
	}}
}

// interval is how often to see whether all is well: so often that a look that
// comes late costs nothing.
func (m *manager) interval() time.Duration { return cmp.Or(m.watchdog/4, scheduler.Poll) }

// tell sends assignments as sd_notify(3) knows them, less a STATUS that it has.
func (m *manager) tell(assignments ...string) {
	news := slices.DeleteFunc(assignments, func(a string) bool { return a == m.status })
	if len(news) == 0 {
		return
	}
	err := m.send(strings.Join(news, "\n"))
	if err != nil && !m.failed {
		m.log.Warn("the service manager is not told how things are", zap.Error(err))
	}
	m.failed = err != nil
	for _, a := range news {
		if strings.HasPrefix(a, "STATUS=") && err == nil {
			m.status = a
		}
	}
}

// reloading begins a reload, as Type=notify-reload wants it.
func (m *manager) reloading() {
	m.tell(daemon.SdNotifyReloading, strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

// reloaded ends a reload.
func (m *manager) reloaded(status string) { m.tell(daemon.SdNotifyReady, status) }
