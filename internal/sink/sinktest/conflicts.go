package sinktest

var conflicts []testCase
