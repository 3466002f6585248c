//go:build !race

package rps_test

const raceEnabled = false
