package main

import (
	"reflect"
	"slices"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source/smapi"
)

// source returns the open source that c would open anew under that name, or nil.
// The setup may be nil.
func (s *setup) source(name string, c config.Source) *smapi.Source {
	if s == nil || !reflect.DeepEqual(s.cfg.Sources[name], c) || !s.sources[name].Fresh() {
		return nil
	}
	return s.sources[name]
}

// sink does the same for a sink of the given instance. The fields of what is
// stored are the engine's business.
func (s *setup) sink(name string, c config.Sink, instance string) sink.Sink {
	if s == nil || s.cfg.Instance != instance {
		return nil
	}
	before := s.cfg.Sinks[name]
	before.Fields, c.Fields = nil, nil
	if !reflect.DeepEqual(before, c) {
		return nil
	}
	open := s.targets[name].Sink
	if f, ok := open.(interface{ Fresh() bool }); ok && !f.Fresh() {
		return nil
	}
	return open
}

// closeIdle closes the connections that nobody uses, of all that s has and that
// none of the others has.
func (s *setup) closeIdle(others ...*setup) {
	for name, src := range s.sources {
		if !slices.ContainsFunc(others, func(o *setup) bool { return o.sources[name] == src }) {
			src.CloseIdleConnections()
		}
	}
	for name, t := range s.targets {
		if slices.ContainsFunc(others, func(o *setup) bool { return o.targets[name].Sink == t.Sink }) {
			continue
		}
		if c, ok := t.Sink.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
}
