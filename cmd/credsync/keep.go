package main

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/sink"
)

// keepAgain is how long a sink that refused to keep its token is left alone.
const keepAgain = 10 * time.Minute

// A keeper looks after the token of one sink until stop is called.
type keeper struct {
	sink sink.Keeper
	stop context.CancelFunc
}

// keep has the tokens of g's sinks looked after, and no others any more.
func (d *service) keep(ctx context.Context, g *generation) {
	for name, k := range d.keepers {
		if now, ok := g.targets[name].Sink.(sink.Keeper); !ok || now != k.sink {
			k.stop()
			delete(d.keepers, name)
		}
	}
	for name, t := range g.targets {
		k, ok := t.Sink.(sink.Keeper)
		if _, kept := d.keepers[name]; !ok || kept {
			continue
		}
		ctx, stop := context.WithCancel(ctx)
		d.keepers[name] = keeper{k, stop}
		d.running.Go(func() { d.keepAlive(ctx, name, k) })
	}
}

// keepAlive looks after one token. A refusal is not the end of it: each run logs
// in for itself, and what was refused may be allowed later.
func (d *service) keepAlive(ctx context.Context, name string, k sink.Keeper) {
	for ctx.Err() == nil {
		if err := k.Keep(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("token not kept alive between runs", zap.String("sink", name), zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(keepAgain):
		}
	}
}
