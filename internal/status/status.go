// Package status is the read-only HTTP face of the daemon: health, metrics, the
// status page, and the same as JSON. A [Board] hears of runs as they go, and
// what it knows at one moment is a [Report].
package status
