package sinktest

var races []testCase
