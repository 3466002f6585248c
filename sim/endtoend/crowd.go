package endtoend

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/deploy"
	"mpinlab/sim/wire"
)

// crowd is clients that log in at a time, each a user of its own. The first half
// of a proof (x, U, U_T and what binds them) is made ahead, so that in the
// measured time a client multiplies once, for V: in the field its work is done
// elsewhere. What the servers get is what real clients send.
type crowd struct {
	suite *protocol.Suite
	date  protocol.Date
	users []*user
	http  *http.Client
	pass1 string
	pass2 string
	login string
	// met: every client has its connection.
	met bool
}

type user struct {
	mpinID string
	id     *protocol.Identity
	secret *protocol.ClientSecret
	permit *protocol.Permit
}

// half is a login of which pass 1 is ready.
type half struct {
	user   *user
	prover *protocol.Prover
	pass1  []byte
}

func newCrowd(suite *protocol.Suite, issuer *deploy.Issuer, at deploy.Ready, clients int) (*crowd, error) {
	now := time.Now()
	date, err := wire.Today(now)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConns: 2 * clients, MaxIdleConnsPerHost: clients, DisableCompression: true}
	c := &crowd{
		suite: suite, date: date, users: make([]*user, clients), http: &http.Client{Transport: transport, Timeout: time.Minute},
		pass1: at.RPS + "/rps/pass1", pass2: at.RPS + "/rps/pass2", login: at.RPA + "/mpinAuthenticate",
	}
	err = each(context.Background(), clients, func(i int) error {
		id, err := wire.NewIdentity("measured-"+strconv.Itoa(i)+"@example.com", false, now, nil)
		if err != nil {
			return err
		}
		u := &user{mpinID: id.String()}
		if u.id, err = suite.Identity(id.Bytes()); err != nil {
			return err
		}
		if u.secret, err = issuer.Secret(u.id); err != nil {
			return err
		}
		u.permit, err = issuer.Permit(u.id, date)
		c.users[i] = u
		return err
	})
	return c, err
}

func (c *crowd) close() { c.http.CloseIdleConnections() }

// each runs do for 0 to n−1 on all CPUs.
func each(ctx context.Context, n int, do func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// prepare makes the first halves of n logins, of all users in turn.
func (c *crowd) prepare(ctx context.Context, n int) ([]half, error) {
	halves := make([]half, n)
	bound := c.suite.ID().Dialect == protocol.RFC9380
	err := each(ctx, n, func(i int) error {
		u := c.users[i%len(c.users)]
		p, err := c.suite.NewProver(u.id, u.secret, u.permit, nil)
		if err != nil {
			return err
		}
		m := p.Pass1()
		body := fmt.Appendf(nil, `{"mpin_id":"%s","UT":"%x","U":"%x","pass":1`, u.mpinID, m.UT, m.U)
		if bound {
			proof, err := p.ProveBinding(nil)
			if err != nil {
				return err
			}
			body = fmt.Appendf(body, `,"proof":"%x"`, proof)
		}
		halves[i] = half{u, p, append(body, '}')}
		return nil
	})
	return halves, err
}

// run prepares and logs in.
func (c *crowd) run(ctx context.Context, n int) (int, error) {
	halves, err := c.prepare(ctx, n)
	if err != nil {
		return 0, err
	}
	return n, c.logIn(ctx, halves)
}

// logIn has all users log in without pause until the halves are used up. Every
// login must be accepted. The first time they come one after the other, so that
// the servers need not accept hundreds of connections in one moment.
func (c *crowd) logIn(ctx context.Context, halves []half) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for k := range min(len(c.users), len(halves)) {
		if !c.met {
			time.Sleep(time.Millisecond)
		}
		all.Go(func() {
			var answer bytes.Buffer
			for i := k; i < len(halves) && ctx.Err() == nil; i += len(c.users) {
				if err := c.one(ctx, &halves[i], &answer); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	c.met = true
	return context.Cause(ctx)
}

func (c *crowd) one(ctx context.Context, h *half, answer *bytes.Buffer) error {
	if err := c.post(ctx, c.pass1, h.pass1, answer); err != nil {
		return fmt.Errorf("pass 1: %w", err)
	}
	text, ok := member(answer.Bytes(), "y")
	if !ok {
		return fmt.Errorf("pass 1: %w", errAnswer)
	}
	y, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("pass 1: %w", errAnswer)
	}
	v, err := h.prover.Pass2(y)
	if err != nil {
		return err
	}
	body := fmt.Appendf(nil, `{"mpin_id":"%s","OTP":0,"WID":"0","pass":2,"V":"%x"}`, h.user.mpinID, v)
	if err := c.post(ctx, c.pass2, body, answer); err != nil {
		return fmt.Errorf("pass 2: %w", err)
	}
	ott, ok := member(answer.Bytes(), "authOTT")
	if !ok {
		return fmt.Errorf("pass 2: %w", errAnswer)
	}
	if err := c.post(ctx, c.login, fmt.Appendf(body[:0], `{"mpinResponse":{"authOTT":"%s"}}`, ott), answer); err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	return nil
}

var errAnswer = errors.New("not the expected answer")

// post sends JSON and leaves the answer in into. Anything but 200 is an error.
func (c *crowd) post(ctx context.Context, url string, body []byte, into *bytes.Buffer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header["Content-Type"] = []string{"application/json"}
	a, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	into.Reset()
	if _, err := into.ReadFrom(io.LimitReader(a.Body, wire.MaxAnswer)); err != nil {
		return err
	}
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", a.StatusCode)
	}
	return nil
}

// member finds a string of hex digits in an answer without decoding the rest.
func member(answer []byte, name string) (string, bool) {
	_, rest, ok := bytes.Cut(answer, []byte(`"`+name+`":"`))
	if !ok {
		return "", false
	}
	value, _, ok := bytes.Cut(rest, []byte(`"`))
	return string(value), ok && len(value) > 0 && len(value) <= 128
}
