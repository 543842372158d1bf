package sinktest

var failures []testCase
