package deploy

import "time"

// Thread is what a thread has had since it started: time on a CPU, and how often it got one.
type Thread struct {
	CPU   time.Duration
	Turns int64
}
