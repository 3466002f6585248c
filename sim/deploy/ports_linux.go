package deploy

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// reserve binds the port of an address, or a free one for port 0, without
// listening at it. Until release is called the system hands the port to nobody
// who does not ask for it by number, so that a server that was killed finds its
// address free when it comes back: without that, one of the deployment's own
// outgoing connections may have taken it.
func reserve(address string) (bound string, release func(), err error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return "", nil, err
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	if !ok {
		ip = netip.IPv4Unspecified()
	}
	ip = ip.Unmap()
	family, where := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: tcp.Port, Addr: ip4(ip)})
	if ip.Is6() {
		family, where = unix.AF_INET6, &unix.SockaddrInet6{Port: tcp.Port, Addr: ip.As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("reserve %s: %w", address, err)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, where)
	}
	var name unix.Sockaddr
	if err == nil {
		name, err = unix.Getsockname(fd)
	}
	if err != nil {
		unix.Close(fd)
		return "", nil, &net.OpError{Op: "listen", Net: "tcp", Addr: tcp, Err: err}
	}
	port := tcp.Port
	switch n := name.(type) {
	case *unix.SockaddrInet4:
		port = n.Port
	case *unix.SockaddrInet6:
		port = n.Port
	}
	// Once: a deployment may be closed twice, and by then the descriptor can be
	// another file's.
	return netip.AddrPortFrom(ip, uint16(port)).String(), sync.OnceFunc(func() { unix.Close(fd) }), nil
}

func ip4(ip netip.Addr) (a [4]byte) {
	if ip.Is4() {
		a = ip.As4()
	}
	return a
}
