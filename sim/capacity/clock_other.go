//go:build !linux

package capacity

import "time"

func processTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
func threadTime() time.Duration  { return processTime() }
