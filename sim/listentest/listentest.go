// Package listentest serves raw connections in tests.
package listentest

import (
	"net"
	"testing"
)

// Serve listens on loopback until the test ends and gives every connection to handle, in a
// goroutine of its own, after which it is closed. It returns the address.
func Serve(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return l.Addr().String()
}
