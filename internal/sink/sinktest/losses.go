package sinktest

var losses []testCase
