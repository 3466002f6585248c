//go:build !linux

package load

import "time"

// alarm is for Linux alone.
type alarm struct{}

func newAlarm() *alarm { return nil }

func (a *alarm) in(time.Duration) {}

func (a *alarm) close() {}
