package sinktest

var contexts []testCase
