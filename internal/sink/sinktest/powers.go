package sinktest

var powers []testCase
