//go:build !linux

package deploy

import "net"

// reserve finds a free port for port 0. Nothing keeps it free afterwards: only
// Linux lets two sockets share an address of which one listens.
func reserve(address string) (bound string, release func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, err
	}
	return l.Addr().String(), func() {}, l.Close()
}
