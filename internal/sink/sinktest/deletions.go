package sinktest

var deletions []testCase
