// Package configs holds what the program says of its configuration: the schema,
// from which the manual page is made, and the smallest example.
package configs

import _ "embed"

// Schema is the JSON Schema of credsync.yaml, with a description of each key.
//
//go:embed credsync.schema.json
var Schema []byte

// Minimal is the smallest configuration that works.
//
//go:embed minimal.yaml
var Minimal string
