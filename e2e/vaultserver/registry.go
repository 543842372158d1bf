package main

import (
	"maps"
	"slices"

	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// A registry tells the core which plugins are built in: those of this program.
type registry struct{}

func factory(name string, kind consts.PluginType) logical.Factory {
	switch {
	case kind == consts.PluginTypeCredential:
		return authMethods[name]
	case name == "kv":
		return kv.Factory
	}
	return nil
}

func (registry) Contains(name string, kind consts.PluginType) bool { return factory(name, kind) != nil }

func (registry) Get(name string, kind consts.PluginType) (func() (any, error), bool) {
	f := factory(name, kind)
	return func() (any, error) { return f, nil }, f != nil
}

func (registry) Keys(kind consts.PluginType) []string {
	if kind == consts.PluginTypeCredential {
		return slices.Sorted(maps.Keys(authMethods))
	}
	return []string{"kv"}
}

func (registry) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}

func (registry) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
