package load

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"mpinlab/sim/lean"
)

// bareConn is a blocking socket without anything of the standard library's, one
// write and one read a request, for a server that answers at once.
type bareConn struct {
	fd      int
	in, out []byte
}

func dialBare(base string) (*bareConn, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = errors.Join(unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	return &bareConn{fd: fd, in: make([]byte, 4096)}, err
}

func (c *bareConn) close() { unix.Close(c.fd) }

// sleepBare waits with the system's own timer, without slack.
func sleepBare(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return err
	}
	for left := unix.NsecToTimespec(int64(d)); ; {
		err := unix.Nanosleep(&left, &left)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// post sends a request and returns the answer's body.
func (c *bareConn) post(path string, parts ...string) ([]byte, error) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	c.out = fmt.Appendf(c.out[:0], "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, n)
	for _, p := range parts {
		c.out = append(c.out, p...)
	}
	if k, err := unix.Write(c.fd, c.out); err != nil || k < len(c.out) {
		return nil, errors.Join(err, io.ErrShortWrite)
	}
	k, err := unix.Read(c.fd, c.in)
	if err != nil {
		return nil, err
	}
	_, body, whole := bytes.Cut(c.in[:k], []byte("\r\n\r\n"))
	if !whole || len(body) == 0 || body[len(body)-1] != '}' {
		return nil, lean.ErrAnswer
	}
	return body, nil
}

// login does the three requests of a prepared login.
func (c *bareConn) login(mpinID string, half *proof) error {
	answer, err := c.post("/rps/pass1", `{"mpin_id":"`, mpinID, string(half.pass1))
	if err != nil {
		return err
	}
	y, _ := member(answer, "y", 128)
	challenge, err := hex.DecodeString(string(y))
	if err != nil {
		return err
	}
	v, err := half.prover.Pass2(challenge)
	if err != nil {
		return err
	}
	answer, err = c.post("/rps/pass2", `{"mpin_id":"`, mpinID, `","OTP":0,"WID":"0","pass":2,"V":"`, hex.EncodeToString(v), `"}`)
	if err != nil {
		return err
	}
	ott, ok := member(answer, "authOTT", 64)
	if !ok {
		return lean.ErrAnswer
	}
	_, err = c.post("/authenticate", `{"authOTT":"`, string(ott), `"}`)
	return err
}
