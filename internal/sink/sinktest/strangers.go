package sinktest

var strangers []testCase
