package load

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"mpinlab/protocol"
)

// noopVariable makes this test binary a no-op server, of the suite that it
// names.
const noopVariable = "MPIN_TEST_NOOP"

func init() { children[noopVariable] = serveNoop }

// noopAnswers are what a no-op server says to each message of a login, whole
// with its header.
func noopAnswers(s *protocol.Suite) (pass1, pass2, redeem []byte) {
	answer := func(body string) []byte {
		return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	one := s.EncodeScalar(s.Backend().ReduceScalar([]byte{1}))
	return answer(fmt.Sprintf(`{"version":"0.3","y":"%x","pass":1,"message":"OK"}`, one)),
		answer(`{"version":"0.3","pass":2,"authOTT":"` + strings.Repeat("0", 32) + `"}`),
		answer(`{"status":200,"message":"OK"}`)
}

// noopServer answers every message of a login at once, without looking at it:
// what is left is the generator's own time. One thread does it with epoll, one
// read and one write a request, no goroutine, no timer and no parsing beyond
// the request's length, since it shares the CPUs with the generator. It writes
// its address and its URL's end to out and ends with its standard input.
type noopServer struct {
	epoll, listener      int
	pass1, pass2, redeem []byte
	conns                map[int32]*noopConn
}

type noopConn struct {
	in []byte
	n  int
}

// serveNoop is the child's main.
func serveNoop(suite string) error {
	s, err := suiteOf(suite, "")
	if err != nil {
		return err
	}
	n := &noopServer{conns: map[int32]*noopConn{}}
	n.pass1, n.pass2, n.redeem = noopAnswers(s)
	if n.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	if err := unix.Bind(n.listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(n.listener, 4096); err != nil {
		return err
	}
	address, err := unix.Getsockname(n.listener)
	if err != nil {
		return err
	}
	if n.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	fmt.Printf("http://127.0.0.1:%d\n", address.(*unix.SockaddrInet4).Port)
	for _, fd := range []int{n.listener, 0} {
		if err := n.watch(fd); err != nil {
			return err
		}
	}
	return n.loop()
}

func (n *noopServer) watch(fd int) error {
	return unix.EpollCtl(n.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (n *noopServer) loop() error {
	events := make([]unix.EpollEvent, 256)
	for {
		k, err := unix.EpollWait(n.epoll, events, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range events[:k] {
			switch {
			case e.Fd == 0: // the parent has gone
				return nil
			case int(e.Fd) == n.listener:
				err = n.accept()
			case !n.answer(e.Fd):
				err = unix.Close(int(e.Fd))
				delete(n.conns, e.Fd)
			}
			if err != nil {
				return err
			}
		}
	}
}

func (n *noopServer) accept() error {
	for {
		fd, _, err := unix.Accept4(n.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return err
		}
		n.conns[int32(fd)] = &noopConn{in: make([]byte, 8192)}
		if err := n.watch(fd); err != nil {
			return err
		}
	}
}

// answer reads what is there and answers when a request is whole; false ends the
// connection.
func (n *noopServer) answer(fd int32) bool {
	c := n.conns[fd]
	k, err := unix.Read(int(fd), c.in[c.n:])
	if err != nil || k == 0 {
		return errors.Is(err, unix.EAGAIN)
	}
	c.n += k
	header, body, whole := bytes.Cut(c.in[:c.n], []byte("\r\n\r\n"))
	if !whole {
		return c.n < len(c.in)
	}
	_, length, _ := bytes.Cut(header, []byte("Content-Length: "))
	length, _, _ = bytes.Cut(length, []byte("\r\n"))
	size, err := strconv.Atoi(string(length))
	if err != nil || len(body) > size {
		return false // a generator of ours sends the next request after the answer
	}
	if len(body) < size {
		return c.n < len(c.in)
	}
	c.n = 0
	answer := n.redeem
	switch {
	case bytes.HasPrefix(header, []byte("POST /rps/pass1 ")):
		answer = n.pass1
	case bytes.HasPrefix(header, []byte("POST /rps/pass2 ")):
		answer = n.pass2
	}
	k, err = unix.Write(int(fd), answer)
	return err == nil && k == len(answer)
}

// noop starts a no-op server in a process of its own, so that what it costs and
// what the generator costs are told apart.
func noop(tb testing.TB, suite string) (url string, pid int) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), noopVariable+"="+suite, "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Error("no-op server:", err)
		}
	})
	line := make([]byte, 64)
	k, err := out.Read(line)
	if err != nil {
		tb.Fatal(err)
	}
	url = strings.TrimSpace(string(line[:k]))
	if _, _, err := net.SplitHostPort(strings.TrimPrefix(url, "http://")); err != nil {
		tb.Fatal(err)
	}
	return url, cmd.Process.Pid
}
